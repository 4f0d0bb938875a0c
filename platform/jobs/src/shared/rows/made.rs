//! Jobs that are made, cancelled and removed.

use super::{LOCK, bounded, columns, read, tell};
use crate::error::JobsError;
use crate::record::Record;
use crate::settings::{Asked, Settings};
use einthoven_registry_log::take_turns;
use sqlx::PgPool;

/// Seconds within which the input of a job that is being made must be in the bucket.
const COMING_S: f64 = 900.0;

/// Keeps a place for a job whose input is about to be put into the bucket.
pub(in crate::shared) async fn reserve(pool: &PgPool, settings: &Settings, record: &Record) -> Result<(), JobsError> {
    let asked = bounded(async {
        let mut transaction = pool.begin().await?;
        take_turns(&mut transaction, LOCK).await?;
        let (all, own, taken): (i64, i64, i64) = sqlx::query_as(
            "select count(*) filter (where state in ('queued', 'coming')), \
             count(*) filter (where state in ('queued', 'coming') and owner = $1), \
             coalesce(sum(input_bytes) filter (where state in ('queued', 'coming', 'running')), 0)::bigint \
             from einthoven_jobs",
        )
        .bind(&record.owner)
        .fetch_one(&mut *transaction)
        .await?;
        let asked = Asked {
            all: usize::try_from(all).unwrap_or(usize::MAX),
            own: usize::try_from(own).unwrap_or(usize::MAX),
            bytes: u64::try_from(taken)
                .unwrap_or(u64::MAX)
                .saturating_add(record.input_bytes),
        };
        if settings.room_for(asked).is_err() {
            return Ok(asked);
        }
        sqlx::query(
            "insert into einthoven_jobs (id, owner, wish, files, input_bytes, state, lease) \
             values ($1, $2, $3, $4, $5, 'coming', now() + make_interval(secs => $6))",
        )
        .bind(&record.id)
        .bind(&record.owner)
        .bind(record.wish.to_string())
        .bind(serde_json::to_string(&record.files).unwrap_or_default())
        .bind(i64::try_from(record.input_bytes).unwrap_or(i64::MAX))
        .bind(COMING_S)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(asked)
    });
    settings.room_for(asked.await?)
}

/// A job whose input is in the bucket may be taken.
pub(in crate::shared) async fn queue(pool: &PgPool, id: &str) -> Result<Record, JobsError> {
    let queued = bounded(async {
        let mut transaction = pool.begin().await?;
        let row = sqlx::query(concat!(
            "update einthoven_jobs set state = 'queued', lease = null where id = $1 and state = 'coming' returning ",
            columns!()
        ))
        .bind(id)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let record = read(&row)?.record;
        tell(&mut transaction, &record).await?;
        transaction.commit().await?;
        Ok(Some(record))
    });
    queued.await?.ok_or(JobsError::NoSuchJob)
}

/// Cancels a job that has not ended; false where it has.
pub(in crate::shared) async fn cancel(pool: &PgPool, id: &str) -> Result<bool, JobsError> {
    let cancelled = bounded(async {
        let mut transaction = pool.begin().await?;
        let row = sqlx::query(concat!(
            "update einthoven_jobs set state = 'cancelled', ended = now(), stage = null \
             where id = $1 and state in ('queued', 'running') returning ",
            columns!()
        ))
        .bind(id)
        .fetch_optional(&mut *transaction)
        .await?;
        if let Some(row) = &row {
            tell(&mut transaction, &read(row)?.record).await?;
        }
        transaction.commit().await?;
        Ok(row.is_some())
    });
    cancelled.await
}

/// Gives the place of a job up whose input is not in the bucket yet; false where it has been queued.
pub(in crate::shared) async fn give_up(pool: &PgPool, id: &str) -> Result<bool, JobsError> {
    let gone = sqlx::query("delete from einthoven_jobs where id = $1 and state = 'coming'").bind(id);
    Ok(bounded(gone.execute(pool)).await?.rows_affected() == 1)
}

/// Removes a job's row, whatever its state; false where another server did.
pub(in crate::shared) async fn forget(pool: &PgPool, id: &str) -> Result<bool, JobsError> {
    let gone = sqlx::query("delete from einthoven_jobs where id = $1").bind(id);
    Ok(bounded(gone.execute(pool)).await?.rows_affected() == 1)
}

pub(in crate::shared) async fn input_is_gone(pool: &PgPool, id: &str) -> Result<(), JobsError> {
    let gone = sqlx::query("update einthoven_jobs set input = false where id = $1").bind(id);
    bounded(gone.execute(pool)).await.map(drop)
}
