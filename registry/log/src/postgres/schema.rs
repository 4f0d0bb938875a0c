//! Tables that several processes may make at once, and whose shape is written down beside them.

use sqlx::{PgConnection, PgPool};

/// The advisory lock of whoever makes or changes tables: "einsch" in ASCII.
const LOCK: i64 = 0x6569_6e73_6368;

/// Tables that belong together, and how their shape came to be.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// What they are called together; it never changes.
    pub name: &'static str,
    /// Their names, as of the newest shape.
    pub tables: &'static [&'static str],
    /// Each makes one shape out of the one before, the first out of nothing. Whoever changes a table adds a step, and leaves those alone
    /// that were released.
    pub steps: &'static [&'static [&'static str]],
}

impl Schema {
    /// Makes the tables, or brings them to the newest shape; all or nothing. Of several processes that would at once, one after the other
    /// does.
    ///
    /// # Errors
    /// What the database says, and [`sqlx::Error::InvalidArgument`] naming what to do where the tables are a newer program's, where it
    /// is not written down which shape they have, or where one is missing.
    pub async fn prepare(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let mut transaction = pool.begin().await?;
        take_turns(&mut transaction, LOCK).await?;
        // Asked first: whoever may not make tables can use those that are there.
        let made: bool = sqlx::query_scalar("select to_regclass('einthoven_schemas') is not null")
            .fetch_one(&mut *transaction)
            .await?;
        if !made {
            let make = "create table einthoven_schemas (name text primary key, version integer not null)";
            sqlx::query(make).execute(&mut *transaction).await?;
        }
        let asked = sqlx::query_scalar("select version from einthoven_schemas where name = $1").bind(self.name);
        let written: Option<i32> = asked.fetch_optional(&mut *transaction).await?;
        let newest = self.steps.len();
        let version = usize::try_from(written.unwrap_or_default()).unwrap_or(usize::MAX);
        if version > newest {
            return Err(refused(format!(
                "the tables of `{}` in the database are of version {version}, and this program knows them up to {newest}: \
                 start the program that made them, or a newer one",
                self.name
            )));
        }
        if written.is_none()
            && let Some(table) = self.first(&mut transaction, true).await?
        {
            return Err(refused(format!(
                "the table {table} is in the database, and einthoven_schemas does not say of which version: a program from before \
                 versions were written down made it, or another one; give the server an empty database, and bring back what that one \
                 held with `einthoven restore`"
            )));
        }
        for step in self.steps.iter().skip(version) {
            for statement in *step {
                sqlx::query(*statement).execute(&mut *transaction).await?;
            }
        }
        if let Some(table) = self.first(&mut transaction, false).await? {
            return Err(refused(format!(
                "the table {table} is gone from the database, though einthoven_schemas says that it was made: bring the database back \
                 from a copy, or give the server an empty one and use `einthoven restore`"
            )));
        }
        if version < newest {
            let says = sqlx::query(
                "insert into einthoven_schemas values ($1, $2) on conflict (name) do update set version = excluded.version",
            );
            let says = says.bind(self.name).bind(i32::try_from(newest).unwrap_or(i32::MAX));
            says.execute(&mut *transaction).await?;
        }
        transaction.commit().await
    }

    /// The first of the tables that is there, or that is not.
    async fn first(&self, transaction: &mut PgConnection, there: bool) -> Result<Option<String>, sqlx::Error> {
        let asked = sqlx::query_scalar(
            "select name from unnest($1::text[]) with ordinality as wanted (name, place) \
             where (to_regclass(name) is not null) = $2 order by place limit 1",
        );
        asked.bind(self.tables).bind(there).fetch_optional(transaction).await
    }
}

fn refused(why: String) -> sqlx::Error {
    sqlx::Error::InvalidArgument(why)
}

/// Waits for everybody else who took that lock, and keeps it until the transaction ends.
///
/// # Errors
/// What the database says.
pub async fn take_turns(transaction: &mut PgConnection, lock: i64) -> Result<(), sqlx::Error> {
    let taken = sqlx::query("select pg_advisory_xact_lock($1)").bind(lock);
    taken.execute(transaction).await.map(drop)
}
