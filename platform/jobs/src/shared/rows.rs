//! The tables and the statements on them.

use crate::error::JobsError;
use crate::events::{self, Event};
use crate::jobs::View;
use crate::record::{Info, MOST_CRASHES, Record, State, given_up};
use crate::settings::{Asked, Settings};
use crate::worker::Stage;
use jiff::Timestamp;
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::{PgConnection, PgPool, Row as _};
use std::time::Duration;
use tokio::time::timeout;

/// The longest that a call waits for PostgreSQL.
const PATIENCE: Duration = Duration::from_secs(4);

/// Seconds within which the input of a job that is being made must be in the bucket.
const COMING_S: f64 = 900.0;

/// The advisory lock of whoever makes the tables or looks whether there is room: "einjob" in ASCII.
const LOCK: i64 = 0x6569_6e6a_6f62;

const CREATE: [&str; 3] = [
    "create table if not exists einthoven_jobs (
        id text primary key,
        seq bigint generated always as identity,
        owner text not null,
        wish text not null,
        files text not null,
        input_bytes bigint not null,
        input boolean not null default true,
        state text not null check (state in ('coming', 'queued', 'running', 'done', 'failed', 'cancelled')),
        created timestamptz not null default now(),
        started timestamptz,
        ended timestamptz,
        runs integer not null default 0,
        crashes integer not null default 0,
        server text,
        lease timestamptz,
        stage text,
        problem text
    )",
    "create index if not exists einthoven_jobs_open on einthoven_jobs (seq) where state in ('queued', 'running')",
    "create table if not exists einthoven_job_events (
        job text not null references einthoven_jobs (id) on delete cascade,
        id bigint not null,
        kind text not null,
        data text not null,
        primary key (job, id)
    )",
];

macro_rules! columns {
    () => {
        "id, owner, wish, files, input_bytes, state, (extract(epoch from created) * 1000000)::bigint as created, \
         (extract(epoch from started) * 1000000)::bigint as started, \
         (extract(epoch from ended) * 1000000)::bigint as ended, runs, crashes, problem, stage"
    };
}

/// A job as it is in the table.
pub(super) struct Row {
    pub(super) record: Record,
    pub(super) stage: Option<Stage>,
}

/// Connects when it is first asked something.
pub(super) fn connect(url: &str) -> Result<PgPool, JobsError> {
    // The cause may repeat the URL and its password, so it is not shown.
    let options = url.parse::<PgConnectOptions>().map_err(|_| JobsError::Refused {
        cause: "the address is no URL like postgres://user:password@host:5432/database".to_owned(),
    })?;
    let pool = PgPoolOptions::new().max_connections(4).acquire_timeout(PATIENCE / 2);
    Ok(pool.connect_lazy_with(options))
}

pub(super) async fn prepare(pool: &PgPool) -> Result<(), JobsError> {
    let made = bounded(async {
        let mut transaction = pool.begin().await?;
        // Two servers that start at once would both try to make them.
        lock(&mut transaction).await?;
        // That they are there is no news.
        sqlx::query("set local client_min_messages = warning")
            .execute(&mut *transaction)
            .await?;
        for statement in CREATE {
            sqlx::query(statement).execute(&mut *transaction).await?;
        }
        transaction.commit().await
    });
    made.await.map_err(|cause| match cause {
        JobsError::Unavailable { cause, .. } => JobsError::Refused {
            cause: format!("the tables of jobs cannot be made: {cause}"),
        },
        other => other,
    })
}

async fn lock(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let locked = sqlx::query("select pg_advisory_xact_lock($1)").bind(LOCK);
    locked.execute(connection).await.map(drop)
}

/// Keeps a place for a job whose input is about to be put into the bucket.
pub(super) async fn reserve(pool: &PgPool, settings: &Settings, record: &Record) -> Result<(), JobsError> {
    let asked = bounded(async {
        let mut transaction = pool.begin().await?;
        lock(&mut transaction).await?;
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
pub(super) async fn queue(pool: &PgPool, id: &str) -> Result<Record, JobsError> {
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

/// Takes the next job, if any waits or was left by a server whose lease has run out: the oldest of the owner with the fewest running.
pub(super) async fn take(pool: &PgPool, server: &str, lease: Duration) -> Result<Option<Record>, JobsError> {
    loop {
        let taken = bounded(async {
            let mut transaction = pool.begin().await?;
            let row = sqlx::query(concat!(
                "update einthoven_jobs set crashes = crashes + case when state = 'running' then 1 else 0 end, \
                 state = 'running', runs = runs + 1, server = $1, lease = now() + make_interval(secs => $2), \
                 started = now(), stage = null where id = (select waiting.id from einthoven_jobs waiting \
                 where waiting.state = 'queued' or (waiting.state = 'running' and waiting.lease < now()) \
                 order by (select count(*) from einthoven_jobs other where other.owner = waiting.owner \
                 and other.state = 'running' and other.lease >= now()), waiting.seq \
                 for update of waiting skip locked limit 1) returning ",
                columns!()
            ))
            .bind(server)
            .bind(lease.as_secs_f64())
            .fetch_optional(&mut *transaction)
            .await?;
            let Some(row) = row else { return Ok(None) };
            let mut record = read(&row)?.record;
            if record.crashes >= MOST_CRASHES {
                record.end(State::Failed, Some(given_up(record.crashes)));
                write_end(&mut transaction, &record).await?;
            } else {
                // What an earlier run had done is no news any more.
                sqlx::query("delete from einthoven_job_events where job = $1")
                    .bind(&record.id)
                    .execute(&mut *transaction)
                    .await?;
                tell(&mut transaction, &record).await?;
            }
            transaction.commit().await?;
            Ok(Some(record))
        });
        match taken.await? {
            Some(record) if record.state.is_end() => {}
            other => return Ok(other),
        }
    }
}

/// Renews the lease; false where the job is this attempt's no more.
pub(super) async fn renew(pool: &PgPool, record: &Record, lease: Duration) -> Result<bool, JobsError> {
    let renewed = sqlx::query(
        "update einthoven_jobs set lease = now() + make_interval(secs => $3) \
         where id = $1 and runs = $2 and state = 'running'",
    );
    let renewed = renewed.bind(&record.id).bind(runs(record)).bind(lease.as_secs_f64());
    let done = bounded(renewed.execute(pool)).await?;
    Ok(done.rows_affected() == 1)
}

/// Writes down how far a job is; false where it is this attempt's no more.
pub(super) async fn reached(pool: &PgPool, record: &Record, stage: &Stage, event: &Event) -> Result<bool, JobsError> {
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
pub(super) async fn end(pool: &PgPool, record: &Record) -> Result<bool, JobsError> {
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

/// Cancels a job that has not ended; false where it has.
pub(super) async fn cancel(pool: &PgPool, id: &str) -> Result<bool, JobsError> {
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

/// Says that this attempt, which was cancelled, is over.
pub(super) async fn put_down(pool: &PgPool, record: &Record) -> Result<(), JobsError> {
    let idle = sqlx::query(
        "update einthoven_jobs set lease = null where id = $1 and runs = $2 and state not in ('queued', 'running')",
    );
    let idle = idle.bind(&record.id).bind(runs(record));
    bounded(idle.execute(pool)).await.map(drop)
}

/// Whether no server is at a job that has ended.
pub(super) async fn is_idle(pool: &PgPool, id: &str) -> Result<bool, JobsError> {
    let busy =
        sqlx::query_scalar::<_, bool>("select exists (select from einthoven_jobs where id = $1 and lease >= now())");
    Ok(!bounded(busy.bind(id).fetch_one(pool)).await?)
}

/// Removes a job's row, whatever its state.
pub(super) async fn forget(pool: &PgPool, id: &str) -> Result<(), JobsError> {
    let gone = sqlx::query("delete from einthoven_jobs where id = $1").bind(id);
    bounded(gone.execute(pool)).await.map(drop)
}

pub(super) async fn input_is_gone(pool: &PgPool, id: &str) -> Result<(), JobsError> {
    let gone = sqlx::query("update einthoven_jobs set input = false where id = $1").bind(id);
    bounded(gone.execute(pool)).await.map(drop)
}

/// Those that have ended and whose input was not removed.
pub(super) async fn ended_with_input(pool: &PgPool) -> Result<Vec<String>, JobsError> {
    let found = sqlx::query_scalar(
        "select id from einthoven_jobs where input and state in ('done', 'failed', 'cancelled') order by seq",
    );
    bounded(found.fetch_all(pool)).await
}

/// Those that were kept long enough, and those whose making ended in the middle.
pub(super) async fn old(pool: &PgPool, settings: &Settings) -> Result<Vec<String>, JobsError> {
    let found = sqlx::query_scalar(
        "select id from (select id, ended, row_number() over (order by ended desc, seq desc) as place \
         from einthoven_jobs where state in ('done', 'failed', 'cancelled')) kept \
         where place > $1 or ended <= now() - make_interval(secs => $2) \
         union all select id from einthoven_jobs where state = 'coming' and lease < now()",
    );
    let found = found
        .bind(i64::try_from(settings.kept).unwrap_or(i64::MAX))
        .bind(settings.kept_for.as_secs_f64());
    bounded(found.fetch_all(pool)).await
}

/// Those that one may see, newest first.
pub(super) async fn list(pool: &PgPool, view: View<'_>) -> Result<Vec<Row>, JobsError> {
    let found = sqlx::query(concat!(
        "select ",
        columns!(),
        " from einthoven_jobs where state <> 'coming' and ($1::text is null or owner = $1) order by seq desc"
    ));
    let rows = bounded(found.bind(owner(view)).fetch_all(pool)).await?;
    rows.iter().map(|row| read(row).map_err(failed)).collect()
}

/// One of them; as good as absent for who may not see it.
pub(super) async fn get(pool: &PgPool, view: View<'_>, id: &str) -> Result<Row, JobsError> {
    let found = sqlx::query(concat!(
        "select ",
        columns!(),
        " from einthoven_jobs where id = $1 and state <> 'coming' and ($2::text is null or owner = $2)"
    ));
    let row = bounded(found.bind(id).bind(owner(view)).fetch_optional(pool)).await?;
    read(&row.ok_or(JobsError::NoSuchJob)?).map_err(failed)
}

fn owner(view: View<'_>) -> Option<&str> {
    match view {
        View::Of(owner) => Some(owner),
        View::All => None,
    }
}

pub(super) async fn counts(pool: &PgPool) -> Result<[(&'static str, u64); 5], JobsError> {
    let counted = sqlx::query_as("select state, count(*) from einthoven_jobs group by state");
    let rows: Vec<(String, i64)> = bounded(counted.fetch_all(pool)).await?;
    Ok(State::ALL.map(|state| {
        let found = rows.iter().find(|(name, _)| name == state.as_str());
        (state.as_str(), found.map_or(0, |(_, count)| count.unsigned_abs()))
    }))
}

/// What happened after that event, in order.
pub(super) async fn events(pool: &PgPool, id: &str, seen: Option<u64>) -> Result<Vec<Event>, JobsError> {
    let found = sqlx::query_as(
        "select id, kind, data from einthoven_job_events where job = $1 and ($2::bigint is null or id > $2) order by id",
    );
    let rows: Vec<(i64, String, String)> = bounded(found.bind(id).bind(seen.map(number)).fetch_all(pool)).await?;
    let each = |(id, kind, data): (i64, String, String)| Event {
        id: id.unsigned_abs(),
        kind: if kind == "progress" { "progress" } else { "state" },
        data: serde_json::from_str(&data).unwrap_or_default(),
    };
    Ok(rows.into_iter().map(each).collect())
}

/// Whether it is known that there is no such job any more.
pub(super) async fn is_gone(pool: &PgPool, id: &str) -> bool {
    let found = sqlx::query_scalar::<_, bool>("select exists (select from einthoven_jobs where id = $1)").bind(id);
    bounded(found.fetch_one(pool)).await.is_ok_and(|there| !there)
}

/// Writes a state down as an event.
async fn tell(connection: &mut PgConnection, record: &Record) -> Result<(), sqlx::Error> {
    let info: Info = record.info(None);
    let event = events::state(&info);
    sqlx::query("insert into einthoven_job_events (job, id, kind, data) values ($1, $2, $3, $4) on conflict do nothing")
        .bind(&record.id)
        .bind(number(event.id))
        .bind(event.kind)
        .bind(event.data.to_string())
        .execute(connection)
        .await
        .map(drop)
}

fn read(row: &PgRow) -> Result<Row, sqlx::Error> {
    let json = |name| -> Result<Option<Value>, sqlx::Error> {
        let text: Option<String> = row.try_get(name)?;
        let value = text.map(|text| serde_json::from_str(&text)).transpose();
        value.map_err(|cause| sqlx::Error::Decode(cause.into()))
    };
    let time = |name| -> Result<Option<Timestamp>, sqlx::Error> {
        let micros: Option<i64> = row.try_get(name)?;
        let time = micros.map(Timestamp::from_microsecond).transpose();
        time.map_err(|cause| sqlx::Error::Decode(cause.into()))
    };
    let whole = |value: Option<Value>| value.unwrap_or_default();
    let parsed = |cause: serde_json::Error| sqlx::Error::Decode(cause.into());
    let state: String = row.try_get("state")?;
    let count = |name| row.try_get::<i32, _>(name).map(i32::unsigned_abs);
    Ok(Row {
        record: Record {
            id: row.try_get("id")?,
            owner: row.try_get("owner")?,
            wish: whole(json("wish")?),
            files: serde_json::from_value(whole(json("files")?)).map_err(parsed)?,
            input_bytes: row.try_get::<i64, _>("input_bytes")?.unsigned_abs(),
            state: serde_json::from_value(Value::String(state)).map_err(parsed)?,
            created: time("created")?.unwrap_or_default(),
            started: time("started")?,
            ended: time("ended")?,
            runs: count("runs")?,
            crashes: count("crashes")?,
            problem: json("problem")?,
        },
        stage: json("stage")?.map(serde_json::from_value).transpose().map_err(parsed)?,
    })
}

fn runs(record: &Record) -> i32 {
    i32::try_from(record.runs).unwrap_or(i32::MAX)
}

fn number(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

async fn bounded<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, JobsError> {
    match timeout(PATIENCE, work).await {
        Ok(done) => done.map_err(failed),
        Err(_) => Err(failed(sqlx::Error::PoolTimedOut)),
    }
}

fn failed(cause: sqlx::Error) -> JobsError {
    JobsError::Unavailable {
        what: "the database of jobs",
        cause: cause.to_string(),
    }
}
