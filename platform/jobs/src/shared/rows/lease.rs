//! Who is at a job: taken by a lease, renewed, ended, put down.

use super::{bounded, bounded_by, columns, number, read, runs, tell};
use crate::error::JobsError;
use crate::events::Event;
use crate::record::Record;
use crate::worker::Stage;
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use std::time::Duration;

/// Whether the attempt before counts as a crash.
macro_rules! crashed {
    () => {
        "state = 'running' and server is distinct from $1 and lease >= make_interval(secs => $2) \
         + greatest(pg_postmaster_start_time(), now() - make_interval(secs => $4))"
    };
}

/// Takes the next job, if any waits: the oldest of the owner with the fewest running.
///
/// What this very `server` is said to be at was taken by a try whose answer was lost. With `take_over` it may also be one that was left by a
/// server whose lease has run out; then that one counts as having crashed, until it says otherwise. It does not where it gave no sign since
/// the database was away last, for all or for this one, which is `back_for` so long: it may have been stopped meanwhile, and could not say so.
/// Whether one that crashed often is done is for who takes it to say.
pub(in crate::shared) async fn take(
    pool: &PgPool,
    server: &str,
    lease: Duration,
    take_over: bool,
    back_for: Option<Duration>,
) -> Result<Option<Record>, JobsError> {
    let taken = bounded(async {
        let mut transaction = pool.begin().await?;
        let row = sqlx::query(concat!(
            "update einthoven_jobs set crashes = crashes + case when ",
            crashed!(),
            " then 1 else 0 end, crashed = case when ",
            crashed!(),
            " then crashed || runs else crashed end, \
             state = 'running', runs = runs + 1, server = $1, lease = now() + make_interval(secs => $2), \
             started = now(), stage = null where id = (select waiting.id from einthoven_jobs waiting \
             where waiting.state = 'queued' or (waiting.state = 'running' \
             and (waiting.server = $1 or ($3 and waiting.lease < now()))) \
             order by (select count(*) from einthoven_jobs other where other.owner = waiting.owner \
             and other.state = 'running' and other.lease >= now()), waiting.seq \
             for update of waiting skip locked limit 1) returning ",
            columns!()
        ))
        .bind(server)
        .bind(lease.as_secs_f64())
        .bind(take_over)
        .bind(back_for.map(|back_for| back_for.as_secs_f64()))
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let record = read(&row)?.record;
        // What an earlier run had done is no news any more.
        sqlx::query("delete from einthoven_job_events where job = $1")
            .bind(&record.id)
            .execute(&mut *transaction)
            .await?;
        tell(&mut transaction, &record).await?;
        transaction.commit().await?;
        Ok(Some(record))
    });
    taken.await
}

/// Takes the crashes of those attempts back, as far as they are counted, and says how many are left. What is taken back is counted no more, so
/// whoever does that once more changes nothing.
pub(in crate::shared) async fn forgive(pool: &PgPool, record: &Record, alive: &[i32]) -> Result<u32, JobsError> {
    let forgiven = sqlx::query_scalar::<_, i32>(
        "update einthoven_jobs set \
         crashes = crashes - (select count(*)::integer from unnest(crashed) attempt where attempt = any($2)), \
         crashed = array(select attempt from unnest(crashed) attempt where attempt <> all($2)) \
         where id = $1 returning crashes",
    );
    let forgiven = forgiven.bind(&record.id).bind(alive);
    bounded(forgiven.fetch_one(pool)).await.map(i32::unsigned_abs)
}

/// Renews the lease; false where the job is this attempt's no more.
pub(in crate::shared) async fn renew(pool: &PgPool, record: &Record, lease: Duration) -> Result<bool, JobsError> {
    let renewed = sqlx::query(
        "update einthoven_jobs set lease = now() + make_interval(secs => $3) \
         where id = $1 and runs = $2 and state = 'running'",
    );
    let renewed = renewed.bind(&record.id).bind(runs(record)).bind(lease.as_secs_f64());
    // Not so long that there is no time for another try.
    let done = bounded_by(lease / 4, renewed.execute(pool)).await?;
    Ok(done.rows_affected() == 1)
}

/// Writes down how far a job is; false where it is this attempt's no more.
pub(in crate::shared) async fn reached(
    pool: &PgPool,
    record: &Record,
    stage: &Stage,
    event: &Event,
) -> Result<bool, JobsError> {
    let written = sqlx::query(
        "with live as (update einthoven_jobs set stage = $3 where id = $1 and runs = $2 and state = 'running' \
         returning id) insert into einthoven_job_events (job, id, kind, data) select id, $4, $5, $6 from live",
    )
    .bind(&record.id)
    .bind(runs(record))
    .bind(serde_json::to_string(stage).unwrap_or_default())
    .bind(number(event.id))
    .bind(event.kind)
    .bind(event.data.to_string());
    let done = bounded(written.execute(pool)).await?;
    Ok(done.rows_affected() == 1)
}

/// Writes the end of an attempt down, or that it waits again; false where the job is this attempt's no more.
pub(in crate::shared) async fn end(pool: &PgPool, record: &Record) -> Result<bool, JobsError> {
    let ended = bounded(async {
        let mut transaction = pool.begin().await?;
        let ended = write_end(&mut transaction, record).await?;
        transaction.commit().await?;
        Ok(ended)
    });
    ended.await
}

async fn write_end(connection: &mut PgConnection, record: &Record) -> Result<bool, sqlx::Error> {
    let row = sqlx::query(concat!(
        "update einthoven_jobs set state = $3, problem = $4, lease = null, stage = null, \
         ended = case when $3 = 'queued' then null else now() end \
         where id = $1 and runs = $2 and state = 'running' returning ",
        columns!()
    ))
    .bind(&record.id)
    .bind(runs(record))
    .bind(record.state.as_str())
    .bind(record.problem.as_ref().map(Value::to_string))
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else {
        return is_written(connection, record).await;
    };
    tell(connection, &read(&row)?.record).await?;
    Ok(true)
}

/// Whether this very end is written down already: by a try whose answer was lost.
async fn is_written(connection: &mut PgConnection, record: &Record) -> Result<bool, sqlx::Error> {
    let row = sqlx::query("select 1 from einthoven_jobs where id = $1 and runs = $2 and state = $3")
        .bind(&record.id)
        .bind(runs(record))
        .bind(record.state.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

/// Says that this attempt, which was cancelled or taken over, is over. Where it was taken over, it had lost the database and not its life:
/// that is no crash of the job's, where it is still counted as one.
pub(in crate::shared) async fn put_down(pool: &PgPool, record: &Record) -> Result<(), JobsError> {
    let over = sqlx::query(
        "update einthoven_jobs set lease = case when runs = $2 then null else lease end, \
         crashes = crashes - case when $2 = any(crashed) then 1 else 0 end, crashed = array_remove(crashed, $2) \
         where id = $1 and (runs > $2 or state not in ('queued', 'running'))",
    );
    let over = over.bind(&record.id).bind(runs(record));
    bounded(over.execute(pool)).await.map(drop)
}

/// Whether no server is at a job that has ended.
pub(in crate::shared) async fn is_idle(pool: &PgPool, id: &str) -> Result<bool, JobsError> {
    let busy =
        sqlx::query_scalar::<_, bool>("select exists (select from einthoven_jobs where id = $1 and lease >= now())");
    Ok(!bounded(busy.bind(id).fetch_one(pool)).await?)
}
