//! `DELETE /v1/subjects/{pseudonym}`: everything about a person is erased.

use super::super::App;
use super::super::body::Path;
use super::super::problem::Problem;
use super::reading;
use axum::Json;
use axum::extract::State;
use einthoven_journal::JournalError;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Erased")]
pub(crate) struct ErasedOut {
    entries: usize,
    labels: usize,
    recordings: usize,
}

pub(crate) async fn delete_subject(
    State(app): State<Arc<App>>,
    Path(pseudonym): Path<String>,
) -> Result<Json<ErasedOut>, Problem> {
    let erased = reading(&app, move |journal| {
        let erased = journal.erase_subject(&pseudonym).map_err(|cause| match cause {
            JournalError::Full { .. } => {
                Problem::busy("the disk does not take what waits; nothing was erased, try again")
            }
            cause => Problem::internal(&cause),
        })?;
        Ok(ErasedOut {
            entries: erased.entries,
            labels: erased.labels,
            recordings: erased.recordings,
        })
    });
    erased.await.map(Json)
}
