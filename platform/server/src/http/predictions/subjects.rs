//! `DELETE /v1/subjects/{pseudonym}`: everything about a person is erased.

use super::super::App;
use super::super::body::Path;
use super::super::problem::Problem;
use super::reading;
use crate::work::is_about;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use einthoven_journal::JournalError;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// How long what is under way about the person may take to end: a shadow computes for half a minute at most.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Erased")]
pub(crate) struct ErasedOut {
    /// Predictions.
    entries: usize,
    labels: usize,
    /// Recordings that were kept with predictions.
    recordings: usize,
    /// Jobs, with what they were given and what came of them.
    jobs: usize,
    /// Recordings that were kept for looking at.
    shown: usize,
    /// Sessions of live samples, which end.
    sessions: usize,
}

/// First whatever could still make something about the person ends, then all that there is goes. What is asked about them
/// later is new, and stays.
pub(crate) async fn delete_subject(
    State(app): State<Arc<App>>,
    Path(pseudonym): Path<String>,
) -> Result<Json<ErasedOut>, Problem> {
    if !is_pseudonym(&pseudonym) {
        let detail = "a person's pseudonym is `s_` and hexadecimal digits, as predictions name it";
        return Err(Problem::new(StatusCode::NOT_FOUND, "bad_name", detail));
    }
    app.journaling.journal()?;
    let left = app.journaling.leave(&pseudonym);
    let sessions = app.streams.forget_person(&pseudonym);
    let mut jobs = app.jobs.erase(|wish| is_about(wish, &pseudonym)).await?;
    tokio::time::timeout(PATIENCE, left)
        .await
        .map_err(|_| Problem::busy("an answer about this person is still being made; ask for the same once more"))?;
    // One that was being written meanwhile is there now.
    jobs += app.jobs.erase(|wish| is_about(wish, &pseudonym)).await?;
    let shown = app.recordings.forget_person(&pseudonym);
    let erased = reading(&app, move |journal| {
        let erased = journal.erase_subject(&pseudonym).map_err(|cause| match cause {
            JournalError::Full { .. } => {
                Problem::busy("the disk does not take what waits; the person's entries are still there, try again")
            }
            cause => Problem::internal(&cause),
        })?;
        Ok(ErasedOut {
            entries: erased.entries,
            labels: erased.labels,
            recordings: erased.recordings,
            jobs,
            shown,
            sessions,
        })
    });
    erased.await.map(Json)
}

fn is_pseudonym(text: &str) -> bool {
    let digits = text.strip_prefix("s_").unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}
