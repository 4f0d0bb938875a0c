//! What is asked about jobs.

use super::{Row, bounded, columns, failed, number, read};
use crate::error::JobsError;
use crate::events::Event;
use crate::jobs::View;
use crate::record::State;
use crate::settings::Settings;
use jiff::Timestamp;
use serde_json::Value;
use sqlx::PgPool;

/// Those that one may see, newest first.
pub(in crate::shared) async fn list(pool: &PgPool, view: View<'_>) -> Result<Vec<Row>, JobsError> {
    let found = sqlx::query(concat!(
        "select ",
        columns!(),
        " from einthoven_jobs where state <> 'coming' and ($1::text is null or owner = $1) order by seq desc"
    ));
    let rows = bounded(found.bind(owner(view)).fetch_all(pool)).await?;
    rows.iter().map(|row| read(row).map_err(failed)).collect()
}

/// Those whose input is about to be put into the bucket: what each is told to do, and since when it is there.
pub(in crate::shared) async fn coming(pool: &PgPool) -> Result<Vec<(String, Value, Timestamp)>, JobsError> {
    let found = sqlx::query_as(
        "select id, wish, (extract(epoch from created) * 1000000)::bigint from einthoven_jobs where state = 'coming'",
    );
    let rows: Vec<(String, String, i64)> = bounded(found.fetch_all(pool)).await?;
    let each = |(id, wish, created): (String, String, i64)| {
        let wish = serde_json::from_str(&wish).unwrap_or_default();
        (id, wish, Timestamp::from_microsecond(created).unwrap_or_default())
    };
    Ok(rows.into_iter().map(each).collect())
}

/// One of them; as good as absent for who may not see it.
pub(in crate::shared) async fn get(pool: &PgPool, view: View<'_>, id: &str) -> Result<Row, JobsError> {
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

pub(in crate::shared) async fn counts(pool: &PgPool) -> Result<[(&'static str, u64); 5], JobsError> {
    let counted = sqlx::query_as("select state, count(*) from einthoven_jobs group by state");
    let rows: Vec<(String, i64)> = bounded(counted.fetch_all(pool)).await?;
    Ok(State::ALL.map(|state| {
        let found = rows.iter().find(|(name, _)| name == state.as_str());
        (state.as_str(), found.map_or(0, |(_, count)| count.unsigned_abs()))
    }))
}

/// What happened after that event, in order.
pub(in crate::shared) async fn events(pool: &PgPool, id: &str, seen: Option<u64>) -> Result<Vec<Event>, JobsError> {
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
pub(in crate::shared) async fn is_gone(pool: &PgPool, id: &str) -> bool {
    let found = sqlx::query_scalar::<_, bool>("select exists (select from einthoven_jobs where id = $1)").bind(id);
    bounded(found.fetch_one(pool)).await.is_ok_and(|there| !there)
}

/// Those that have ended and whose input was not removed.
pub(in crate::shared) async fn ended_with_input(pool: &PgPool) -> Result<Vec<String>, JobsError> {
    let found = sqlx::query_scalar(
        "select id from einthoven_jobs where input and state in ('done', 'failed', 'cancelled') order by seq",
    );
    bounded(found.fetch_all(pool)).await
}

/// Those that were kept long enough, and those whose making ended in the middle.
pub(in crate::shared) async fn old(pool: &PgPool, settings: &Settings) -> Result<Vec<String>, JobsError> {
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

/// Of those groups of contents, the ones without a job.
pub(in crate::shared) async fn without_job(pool: &PgPool, groups: Vec<String>) -> Result<Vec<String>, JobsError> {
    let found = sqlx::query_scalar(
        "select name from unnest($1::text[]) as name where not exists (select from einthoven_jobs where id = name)",
    );
    bounded(found.bind(groups).fetch_all(pool)).await
}
