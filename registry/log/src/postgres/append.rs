//! Appending in one transaction whose outcome is known, or said to be unknown.

use super::{PATIENCE, announce, bounded, failed, late, table};
use crate::{Entry, Head, LogError};
use sqlx::pool::PoolConnection;
use sqlx::{Connection, PgPool, Postgres};
use tokio::sync::watch;
use tokio::time::timeout;

pub(super) async fn append(
    pool: &PgPool,
    newest: &watch::Sender<u64>,
    after: Head,
    bodies: Vec<String>,
) -> Result<Vec<Entry>, LogError> {
    let entries = Entry::chain(after, bodies)?;
    let Some(last) = entries.last() else {
        let head = bounded(table::head(pool)).await?;
        return if head == after {
            Ok(entries)
        } else {
            Err(LogError::Moved { head })
        };
    };
    // In a task of its own: dropping this call's future must not leave a commit half sent.
    let work = {
        let (pool, entries) = (pool.clone(), entries.clone());
        tokio::spawn(async move { attempt(&pool, after, &entries).await })
    };
    let outcome = work.await.unwrap_or_else(|cause| Outcome::Doubt(cause.to_string()));
    let appended = match outcome {
        Outcome::Committed => Ok(()),
        Outcome::Not(cause) => Err(cause),
        Outcome::Doubt(cause) => settle(pool, after, &entries, cause).await,
    };
    match &appended {
        Ok(()) => announce(newest, last.seq),
        Err(LogError::Moved { head }) => announce(newest, head.seq),
        Err(_) => {}
    }
    appended.map(|()| entries)
}

enum Outcome {
    Committed,
    Not(LogError),
    Doubt(String),
}

/// Tries once. The connection is closed unless all went well, so that nothing of it is used again.
async fn attempt(pool: &PgPool, after: Head, entries: &[Entry]) -> Outcome {
    let mut connection = match bounded(async { pool.acquire().await.map_err(failed) }).await {
        Ok(connection) => connection,
        Err(cause) => return Outcome::Not(cause),
    };
    let mut committing = false;
    let done = timeout(PATIENCE, transact(&mut connection, after, entries, &mut committing)).await;
    let cause = match done {
        Ok(Ok(())) => return Outcome::Committed,
        Ok(Err(cause)) => cause,
        Err(_) => late(),
    };
    // A rollback that went through leaves a sound connection.
    if !matches!(cause, LogError::Moved { .. }) {
        connection.close_on_drop();
    }
    if committing {
        Outcome::Doubt(cause.to_string())
    } else {
        Outcome::Not(cause)
    }
}

async fn transact(
    connection: &mut PoolConnection<Postgres>,
    after: Head,
    entries: &[Entry],
    committing: &mut bool,
) -> Result<(), LogError> {
    let mut transaction = connection.begin().await.map_err(failed)?;
    table::lock(&mut transaction).await?;
    let head = table::head(&mut *transaction).await?;
    if head != after {
        transaction.rollback().await.map_err(failed)?;
        return Err(LogError::Moved { head });
    }
    match table::insert(&mut transaction, entries).await {
        Ok(()) => {}
        // Somebody wrote without the lock.
        Err(sqlx::Error::Database(cause)) if cause.is_unique_violation() => {
            transaction.rollback().await.map_err(failed)?;
            let head = table::head(&mut **connection).await?;
            return Err(LogError::Moved { head });
        }
        Err(cause) => return Err(failed(cause)),
    }
    *committing = true;
    transaction.commit().await.map_err(failed)
}

/// Finds out whether a commit whose answer was lost took place. Its transaction holds the lock until it has ended, so
/// whoever gets the lock sees its outcome.
async fn settle(pool: &PgPool, after: Head, entries: &[Entry], lost: String) -> Result<(), LogError> {
    let last = entries.last().map_or(after, Entry::head);
    let unknown = |cause| LogError::Unknown {
        after,
        last: last.seq,
        cause,
    };
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let found = tokio::time::timeout_at(deadline, async {
            let mut transaction = pool.begin().await.map_err(failed)?;
            table::lock(&mut transaction).await?;
            let head = table::head(&mut *transaction).await?;
            let there: Option<Vec<u8>> = sqlx::query_scalar("select hash from einthoven_log where seq = $1")
                .bind(i64::try_from(last.seq).unwrap_or(i64::MAX))
                .fetch_optional(&mut *transaction)
                .await
                .map_err(failed)?;
            transaction.rollback().await.map_err(failed)?;
            Ok((head, there))
        })
        .await;
        match found {
            Ok(Ok((_, Some(hash)))) if hash == last.hash.as_bytes() => return Ok(()),
            Ok(Ok((head, _))) if head != after => return Err(LogError::Moved { head }),
            Ok(Ok(_)) => return Err(LogError::Unavailable { cause: lost }),
            Ok(Err(LogError::Unavailable { .. })) if tokio::time::Instant::now() < deadline => {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
            Ok(Err(cause)) => return Err(unknown(cause.to_string())),
            Err(_) => return Err(unknown(lost)),
        }
    }
}
