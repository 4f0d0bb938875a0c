//! `GET /v1/journal`: what is remembered, and what became of everything that was answered.

use super::super::App;
use super::super::problem::Problem;
use axum::Json;
use axum::extract::State;
use einthoven_journal::{Counts, Mode};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Journal")]
pub(crate) struct JournalOut {
    mode: &'static str,
    share: f64,
    keep_recordings: bool,
    counts: CountsOut,
    labelled_predictions: usize,
    damaged_places: usize,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "JournalCounts")]
pub(crate) struct CountsOut {
    received: u64,
    stored: u64,
    spooled: u64,
    dropped: u64,
    unsampled: u64,
    spooled_bytes: usize,
    failed_writes: u64,
}

pub(crate) async fn get_journal(State(app): State<Arc<App>>) -> Result<Json<JournalOut>, Problem> {
    let journal = app.journaling.journal()?;
    let (mode, share) = match journal.mode() {
        Mode::Audit => ("audit", 1.0),
        Mode::Sampled { share } => ("sampled", share),
    };
    Ok(Json(JournalOut {
        mode,
        share,
        keep_recordings: app.journaling.keeps_recordings(),
        counts: journal.counts().into(),
        labelled_predictions: journal.labels().predictions(),
        damaged_places: journal.damage().len(),
    }))
}

impl From<Counts> for CountsOut {
    fn from(counts: Counts) -> Self {
        Self {
            received: counts.received,
            stored: counts.stored,
            spooled: counts.spooled,
            dropped: counts.dropped,
            unsampled: counts.unsampled,
            spooled_bytes: counts.spooled_bytes,
            failed_writes: counts.failed_writes,
        }
    }
}
