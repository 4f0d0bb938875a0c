//! Tables that several processes may make at once.

use sqlx::{PgConnection, PgPool};

/// Makes tables, all of them or none; of several processes that would at once, one after the other does. `lock` is the number of the
/// advisory lock by which they take turns, and each statement must do nothing where what it makes is there.
///
/// # Errors
/// What the database says; nothing was made then.
pub async fn make_tables(pool: &PgPool, lock: i64, statements: &[&'static str]) -> Result<(), sqlx::Error> {
    let mut transaction = pool.begin().await?;
    take_turns(&mut transaction, lock).await?;
    // That they are there is no news.
    sqlx::query("set local client_min_messages = warning")
        .execute(&mut *transaction)
        .await?;
    for statement in statements {
        sqlx::query(*statement).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

/// Waits for everybody else who took that lock, and keeps it until the transaction ends.
///
/// # Errors
/// What the database says.
pub async fn take_turns(transaction: &mut PgConnection, lock: i64) -> Result<(), sqlx::Error> {
    let taken = sqlx::query("select pg_advisory_xact_lock($1)").bind(lock);
    taken.execute(transaction).await.map(drop)
}
