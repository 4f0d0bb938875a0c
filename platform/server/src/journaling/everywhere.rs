//! Erasing on all servers that share a database: who is to be forgotten stands there, and each server follows.
//!
//! An erasure is a row with a number. Each server writes down, beside its journal, the number up to which it has followed, so one that was away
//! follows at its next start, before it answers, and so does a journal that is put back from a copy. Servers that are there say every second
//! how far they are; whoever erases waits for all of them.

use anyhow::{Context, bail};
use einthoven_journal::recordings::MasterKey;
use einthoven_journal::{JournalError, PseudonymKey};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::{PgConnection, PgPool};
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

/// The longest that a call waits for the database.
const PATIENCE: Duration = Duration::from_secs(8);

/// Seconds after which a server that said nothing is not waited for.
const SILENT_S: f64 = 10.0;

/// The advisory lock of whoever makes the tables or a row: "einfgt" in ASCII. Rows are seen in the order of their numbers that way.
const LOCK: i64 = 0x6569_6e66_6774;

const CREATE: [&str; 3] = [
    "create table if not exists einthoven_keys (name text primary key, wrapped text not null)",
    "create table if not exists einthoven_erasures (
        seq bigint generated always as identity primary key,
        subject text not null,
        asked timestamptz not null default now(),
        entries bigint not null default 0,
        labels bigint not null default 0,
        recordings bigint not null default 0,
        jobs bigint not null default 0,
        shown bigint not null default 0,
        sessions bigint not null default 0
    )",
    "create table if not exists einthoven_journals (
        id text primary key,
        done bigint not null,
        seen timestamptz not null default now()
    )",
];

/// What was erased.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Erased {
    /// Predictions.
    pub(crate) entries: usize,
    pub(crate) labels: usize,
    /// Recordings that were kept with predictions.
    pub(crate) recordings: usize,
    /// Jobs, with what they were given and what came of them.
    pub(crate) jobs: usize,
    /// Recordings that were kept for looking at.
    pub(crate) shown: usize,
    /// Sessions of live samples, which end.
    pub(crate) sessions: usize,
}

/// What servers know of each other's erasing.
pub(crate) struct Everywhere {
    pool: PgPool,
    /// This process among those that follow.
    id: String,
    /// Where it stands how far this journal has followed.
    mark: PathBuf,
    /// The same in memory.
    done: AtomicI64,
    /// Whoever follows holds it.
    following: Mutex<()>,
}

impl Everywhere {
    /// Makes the tables where they are missing. A journal whose folder is new has nothing to forget.
    pub(crate) async fn open(pool: PgPool, folder: &Path) -> anyhow::Result<Self> {
        let mark = folder.join("erased");
        let prepared = bounded(async {
            let mut transaction = pool.begin().await?;
            lock(&mut transaction).await?;
            // That they are there is no news.
            sqlx::query("set local client_min_messages = warning")
                .execute(&mut *transaction)
                .await?;
            for statement in CREATE {
                sqlx::query(statement).execute(&mut *transaction).await?;
            }
            transaction.commit().await?;
            let newest = sqlx::query_scalar("select coalesce(max(seq), 0) from einthoven_erasures");
            newest.fetch_one(&pool).await
        });
        let newest: i64 = prepared.await.context("the tables of what was erased")?;
        let followed = read(&mark)?;
        // A database that was put back from a copy begins to count where that ended.
        let done = match followed {
            Some(done) => newest.min(done),
            // A volume that is new is there, and empty.
            None if folder.join("entries").exists() => 0,
            None => newest,
        };
        if followed != Some(done) {
            std::fs::create_dir_all(folder)
                .and_then(|()| write(&mark, done))
                .with_context(|| format!("cannot write {}", mark.display()))?;
        }
        Ok(Self {
            pool,
            id: uuid::Uuid::new_v4().to_string(),
            mark,
            done: AtomicI64::new(done),
            following: Mutex::default(),
        })
    }

    /// The key of pseudonyms that all have: it lies in the database under the master key. The first server puts it there:
    /// its journal's own where it has one, so that what is recorded there keeps its pseudonyms.
    pub(crate) async fn pseudonyms(
        &self,
        folder: &Path,
        master: &Path,
        previous: Option<&Path>,
    ) -> anyhow::Result<PseudonymKey> {
        let key = self.key(folder, &MasterKey::read(master)?, previous).await?;
        if PseudonymKey::is_in(folder) && PseudonymKey::in_folder(folder)? != key {
            tracing::warn!(
                "what is in the journal in {} from before has pseudonyms of its own: people in it are erased by those",
                folder.display()
            );
        }
        Ok(key)
    }

    async fn key(&self, folder: &Path, master: &MasterKey, previous: Option<&Path>) -> anyhow::Result<PseudonymKey> {
        let ask = || async {
            let asked = sqlx::query_scalar::<_, String>("select wrapped from einthoven_keys where name = 'pseudonyms'");
            bounded(asked.fetch_optional(&self.pool)).await
        };
        if ask().await?.is_none() {
            let own = match PseudonymKey::is_in(folder) {
                true => PseudonymKey::in_folder(folder)?,
                false => PseudonymKey::new(master)?,
            };
            let own = own.wrapped(master)?;
            // Of two that make it at once, both take the one that came first.
            let made = sqlx::query("insert into einthoven_keys values ('pseudonyms', $1) on conflict do nothing");
            bounded(made.bind(own).execute(&self.pool)).await?;
        }
        let there = ask().await?.context("the key of pseudonyms went away")?;
        if let Some(key) = PseudonymKey::unwrapped(&there, master) {
            return Ok(key);
        }
        let old = previous.map(MasterKey::read).transpose()?;
        let Some(key) = old.and_then(|old| PseudonymKey::unwrapped(&there, &old)) else {
            bail!(
                "the key of pseudonyms in the database lies under another master key: give every server the same --master-key, \
                 and while that changes the one before as --previous-master-key"
            );
        };
        let again = sqlx::query("update einthoven_keys set wrapped = $1 where name = 'pseudonyms' and wrapped = $2");
        bounded(again.bind(key.wrapped(master)?).bind(&there).execute(&self.pool)).await?;
        Ok(key)
    }

    /// Asks all servers to erase a person; gives the erasure's number.
    pub(crate) async fn ask(&self, subject: &str) -> Result<i64, sqlx::Error> {
        bounded(async {
            let mut transaction = self.pool.begin().await?;
            lock(&mut transaction).await?;
            let asked = sqlx::query_scalar("insert into einthoven_erasures (subject) values ($1) returning seq");
            let seq = asked.bind(subject).fetch_one(&mut *transaction).await?;
            transaction.commit().await?;
            Ok(seq)
        })
        .await
    }

    /// Nobody else follows while that is held.
    pub(crate) async fn following(&self) -> MutexGuard<'_, ()> {
        self.following.lock().await
    }

    /// Those that this server has not erased yet, in order, and when each was asked for.
    pub(crate) async fn wanted(&self) -> Result<Vec<(i64, String, Timestamp)>, sqlx::Error> {
        let asked = sqlx::query_as(
            "select seq, subject, (extract(epoch from asked) * 1000000)::bigint from einthoven_erasures \
             where seq > $1 order by seq",
        );
        let asked = asked.bind(self.done.load(Ordering::Acquire));
        let rows: Vec<(i64, String, i64)> = bounded(asked.fetch_all(&self.pool)).await?;
        let each = |(seq, subject, micros)| (seq, subject, Timestamp::from_microsecond(micros).unwrap_or_default());
        Ok(rows.into_iter().map(each).collect())
    }

    /// This server has followed that far, and erased this.
    pub(crate) async fn followed(&self, seq: i64, erased: Erased) -> anyhow::Result<()> {
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let added = sqlx::query(
            "update einthoven_erasures set entries = entries + $2, labels = labels + $3, recordings = recordings + $4, \
             jobs = jobs + $5, shown = shown + $6, sessions = sessions + $7 where seq = $1",
        )
        .bind(seq)
        .bind(count(erased.entries))
        .bind(count(erased.labels))
        .bind(count(erased.recordings))
        .bind(count(erased.jobs))
        .bind(count(erased.shown))
        .bind(count(erased.sessions));
        bounded(added.execute(&self.pool)).await?;
        write(&self.mark, seq).map_err(|cause| JournalError::Io {
            action: "write",
            path: self.mark.clone(),
            cause: cause.to_string(),
        })?;
        self.done.store(seq, Ordering::Release);
        Ok(())
    }

    /// Tells the others that this server is there, and how far it is; forgets those that have not been for a day.
    pub(crate) async fn here(&self) -> Result<(), sqlx::Error> {
        let said = sqlx::query(
            "with gone as (delete from einthoven_journals where seen < now() - interval '1 day') \
             insert into einthoven_journals (id, done) values ($1, $2) \
             on conflict (id) do update set done = greatest(einthoven_journals.done, $2), seen = now()",
        );
        let said = said.bind(&self.id).bind(self.done.load(Ordering::Acquire));
        bounded(said.execute(&self.pool)).await.map(drop)
    }

    /// This server ends, and nobody need wait for it.
    pub(crate) async fn leave(&self) -> Result<(), sqlx::Error> {
        let left = sqlx::query("delete from einthoven_journals where id = $1").bind(&self.id);
        bounded(left.execute(&self.pool)).await.map(drop)
    }

    /// What all have erased, once all that are there have followed that far.
    pub(crate) async fn erased(&self, seq: i64) -> Result<Option<Erased>, sqlx::Error> {
        let asked = sqlx::query_as::<_, (i64, i64, i64, i64, i64, i64)>(
            "select entries, labels, recordings, jobs, shown, sessions from einthoven_erasures where seq = $1 and not exists \
             (select from einthoven_journals where done < $1 and seen > now() - make_interval(secs => $2))",
        );
        let found = bounded(asked.bind(seq).bind(SILENT_S).fetch_optional(&self.pool)).await?;
        let each = |(entries, labels, recordings, jobs, shown, sessions)| Erased {
            entries: usize::try_from(entries).unwrap_or_default(),
            labels: usize::try_from(labels).unwrap_or_default(),
            recordings: usize::try_from(recordings).unwrap_or_default(),
            jobs: usize::try_from(jobs).unwrap_or_default(),
            shown: usize::try_from(shown).unwrap_or_default(),
            sessions: usize::try_from(sessions).unwrap_or_default(),
        };
        Ok(found.map(each))
    }
}

async fn lock(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let locked = sqlx::query("select pg_advisory_xact_lock($1)").bind(LOCK);
    locked.execute(connection).await.map(drop)
}

async fn bounded<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    timeout(PATIENCE, work).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// None where nothing was written yet.
fn read(mark: &Path) -> anyhow::Result<Option<i64>> {
    let text = match std::fs::read_to_string(mark) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.with_context(|| format!("cannot read {}", mark.display()))?,
    };
    let number = text.trim().parse();
    number.map(Some).with_context(|| {
        format!(
            "{} holds no number; `0` has all erasures followed again",
            mark.display()
        )
    })
}

/// On disk when this returns, whole or not at all.
fn write(mark: &Path, seq: i64) -> std::io::Result<()> {
    let whole = mark.with_extension("new");
    let mut file = File::create(&whole)?;
    writeln!(file, "{seq}")?;
    file.sync_all()?;
    std::fs::rename(&whole, mark)?;
    mark.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
