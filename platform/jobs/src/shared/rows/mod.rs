//! The tables and the statements on them.

pub(super) mod lease;
pub(super) mod made;
pub(super) mod seen;

use crate::error::JobsError;
use crate::events;
use crate::record::{Info, Record};
use crate::worker::Stage;
use einthoven_registry_log::Schema;
use jiff::Timestamp;
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::{PgConnection, PgPool, Row as _};
use std::time::Duration;
use tokio::time::timeout;

/// The longest that a call waits for PostgreSQL.
const PATIENCE: Duration = Duration::from_secs(4);

/// The advisory lock of whoever looks whether there is room: "einjob" in ASCII.
const LOCK: i64 = 0x6569_6e6a_6f62;

const SCHEMA: Schema = Schema {
    name: "jobs",
    tables: &["einthoven_jobs", "einthoven_job_events"],
    steps: &[&CREATE, &[CRASHED]],
};

const CREATE: [&str; 3] = [
    "create table einthoven_jobs (
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
    "create index einthoven_jobs_open on einthoven_jobs (seq) where state in ('queued', 'running')",
    "create table einthoven_job_events (
        job text not null references einthoven_jobs (id) on delete cascade,
        id bigint not null,
        kind text not null,
        data text not null,
        primary key (job, id)
    )",
];

/// The attempts that are counted in `crashes`, so that each is taken back once at most, and no other for it.
const CRASHED: &str = "alter table einthoven_jobs add column if not exists crashed integer[] not null default '{}'";

macro_rules! columns {
    () => {
        "id, owner, wish, files, input_bytes, state, (extract(epoch from created) * 1000000)::bigint as created, \
         (extract(epoch from started) * 1000000)::bigint as started, \
         (extract(epoch from ended) * 1000000)::bigint as ended, runs, crashes, problem, stage"
    };
}

use columns;

/// A job as it is in the table.
pub(super) struct Row {
    pub(super) record: Record,
    pub(super) stage: Option<Stage>,
}

/// At most so many connections, made when something is first asked.
pub(super) fn connect(url: &str, most: u32) -> Result<PgPool, JobsError> {
    // The cause may repeat the URL and its password, so it is not shown.
    let options = url.parse::<PgConnectOptions>().map_err(|_| JobsError::Refused {
        cause: "the address is no URL like postgres://user:password@host:5432/database".to_owned(),
    })?;
    let pool = PgPoolOptions::new().max_connections(most).acquire_timeout(PATIENCE / 2);
    Ok(pool.connect_lazy_with(options))
}

pub(super) async fn prepare(pool: &PgPool) -> Result<(), JobsError> {
    bounded(SCHEMA.prepare(pool)).await.map_err(|cause| match cause {
        JobsError::Unavailable { cause, .. } => JobsError::Refused {
            cause: format!("the tables of jobs cannot be made: {cause}"),
        },
        other => other,
    })
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
    bounded_by(PATIENCE, work).await
}

async fn bounded_by<T>(patience: Duration, work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, JobsError> {
    match timeout(patience, work).await {
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
