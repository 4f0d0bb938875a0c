//! `GET /metrics`: what this server counted, for Prometheus.

use super::App;
use super::access::Table;
use super::problem::Problem;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use einthoven_classify::ServedModel;
use einthoven_dispatch::{Statistics, WITHIN_S};
use einthoven_journal::Counts;
use einthoven_telemetry::{
    BatchRows, CONTENT_TYPE, JournalReading, Metrics, ModelReading, Outcomes, Route, Snapshot, Waits,
};
use std::sync::Arc;
use std::time::Duration;

/// Metrics with a series for each method of each route. None where a definition of theirs is wrong: the server serves then without.
pub(super) fn of(table: &Table) -> Option<Metrics> {
    let routes = table.rows().filter_map(|row| {
        Some(Route {
            method: word(row.method.as_str())?,
            path: row.path,
        })
    });
    let metrics = Metrics::new(routes, env!("CARGO_PKG_VERSION"));
    metrics
        .inspect_err(|cause| tracing::error!("nothing is counted: {cause}"))
        .ok()
}

fn word(method: &str) -> Option<&'static str> {
    ["GET", "POST", "PUT", "PATCH", "DELETE"]
        .into_iter()
        .find(|word| *word == method)
}

pub(crate) async fn get_metrics(State(app): State<Arc<App>>) -> Result<impl IntoResponse, Problem> {
    let metrics = app.metrics.as_ref().ok_or_else(|| Problem::not_found("metric"))?;
    let text = metrics
        .render(snapshot(&app).await)
        .map_err(|cause| Problem::internal(&cause))?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text))
}

async fn snapshot(app: &App) -> Snapshot {
    let usage = app.loaded.usage();
    let models = app.loaded.list();
    let reading = |(model, version, served): &(_, _, Arc<ServedModel>)| reading(&model, &version, served.statistics());
    Snapshot {
        models: models.iter().map(reading).collect(),
        model_memory_bytes: usage.counted_bytes,
        model_memory_budget_bytes: usage.budget_bytes,
        models_waiting: app.loaded.waiting().len() as u64,
        shadows_dropped: app.comparing.meters.dropped_in_all(),
        withdrawals: app.comparing.meters.withdrawals(),
        arms: app.comparing.meters.readings(),
        drift: app.comparing.drifting.readings(),
        jobs: app.jobs.counts().await.to_vec(),
        journal: app
            .journaling
            .journal()
            .ok()
            .map(|journal| journaled(journal.counts(), app.journaling.unerased())),
    }
}

fn journaled(counts: Counts, (unerased, erasures_open): (u64, u64)) -> JournalReading {
    JournalReading {
        stored: counts.stored,
        dropped: counts.dropped,
        unsampled: counts.unsampled,
        failed_writes: counts.failed_writes,
        waiting: counts.spooled,
        unerased,
        erasures_open,
    }
}

fn reading(model: &impl ToString, version: &impl ToString, counted: Statistics) -> ModelReading {
    let seconds = |sum: Duration| sum.as_secs_f64();
    let waits = |counts: Vec<u64>| Waits {
        bounds_s: WITHIN_S.to_vec(),
        counts,
    };
    let batches = counted.batches.iter().map(|batch| BatchRows {
        rows: batch.rows,
        runs: batch.executions,
    });
    ModelReading {
        model: model.to_string(),
        version: version.to_string(),
        outcomes: Outcomes {
            succeeded: counted.succeeded,
            failed: counted.failed,
            invalid: counted.invalid,
            cancelled: counted.cancelled,
            expired: counted.expired,
            refused: counted.refused,
        },
        rows: counted.rows,
        queued_s: seconds(counted.queued),
        queued: waits(counted.queued_within),
        computed_s: seconds(counted.computed),
        computed: waits(counted.computed_within),
        assembling_s: seconds(counted.assembling),
        assembled: waits(counted.assembled_within),
        running_s: seconds(counted.running),
        answering_s: seconds(counted.answering),
        batches: batches.collect(),
        pending_calls: counted.pending_calls,
        pending_bytes: counted.pending_bytes,
        instances: counted.instances,
    }
}
