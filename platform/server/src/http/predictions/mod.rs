//! `/v1/predictions` and what hangs on it: the journal, later truth about it, and what was answered wrongly.

pub(crate) mod agreement;
pub(crate) mod at_once;
pub(crate) mod clusters;
pub(crate) mod erasing;
mod exports;
pub(crate) mod filter;
pub(crate) mod journal;
pub(crate) mod labels;
pub(crate) mod list;
pub(crate) mod misclassified;
pub(crate) mod reads;
mod recorded;
mod records;
pub(crate) mod reference;
mod replays;
pub(crate) mod signal;
pub(crate) mod subjects;
pub(crate) mod view;

use super::App;
use super::access::{Access, Table, delete, get, post};
use super::caller::Caller;
use super::problem::Problem;
use axum::http::StatusCode;
use einthoven_auth::Scope;
use einthoven_journal::{Entry, Journal, JournalError};
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

/// The routes of the journal.
pub(crate) fn routes(table: Table) -> Table {
    use Access::{Needs, NeedsForSome};
    use Scope::{Admin, Label, ModelsRead, Predict};
    table
        .route("/v1/journal", [get(NeedsForSome(ModelsRead), journal::get_journal)])
        .route(
            "/v1/predictions",
            [get(NeedsForSome(ModelsRead), list::list_predictions)],
        )
        .route(
            "/v1/predictions/export",
            [get(NeedsForSome(ModelsRead), exports::export_predictions)],
        )
        .route(
            "/v1/predictions/{id}",
            [get(NeedsForSome(ModelsRead), list::get_prediction)],
        )
        .route(
            "/v1/predictions/{id}/labels",
            [
                get(NeedsForSome(ModelsRead), labels::list_labels),
                post(NeedsForSome(Label), labels::create_label),
            ],
        )
        .route(
            "/v1/predictions/{id}/signal",
            [get(NeedsForSome(Label), signal::get_prediction_signal)],
        )
        .route(
            "/v1/predictions/{id}/replay",
            [post(NeedsForSome(Predict), replays::replay_prediction)],
        )
        .route("/v1/labels", [post(NeedsForSome(Label), at_once::create_labels)])
        .route(
            "/v1/labels/agreement",
            [get(NeedsForSome(ModelsRead), agreement::get_agreement)],
        )
        .route(
            "/v1/labels/export",
            [get(NeedsForSome(ModelsRead), exports::export_labels)],
        )
        .route(
            "/v1/misclassified",
            [get(NeedsForSome(ModelsRead), misclassified::list_misclassified)],
        )
        .route(
            "/v1/misclassified/clusters",
            [get(NeedsForSome(ModelsRead), clusters::list_clusters)],
        )
        .route(
            "/v1/subjects/{pseudonym}",
            [delete(Needs(Admin), subjects::delete_subject)],
        )
}

/// A prediction of that id; as good as absent for who may not do that with its model. Blocks.
fn find(journal: &Journal, caller: &Caller, scope: Scope, id: &str) -> Result<Entry, Problem> {
    let absent = || {
        let detail = "there is no prediction of that id: it was not recorded, is no longer kept, or is of a model that you may not see";
        Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
    };
    let id: Uuid = id.parse().map_err(|_| absent())?;
    let found = journal.get(id)?;
    let may = |entry: &Entry| caller.principal().may_for(scope, &entry.model);
    found.filter(may).ok_or_else(absent)
}

/// Reads the journal where that holds up nobody, with everything that was answered until now.
async fn reading<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(Journal) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let permit = app.reads.page().await?;
    read_with(app, permit, work).await
}

/// How labels are answered, by how many of them are new: said once more they make nothing.
fn created(new: usize) -> StatusCode {
    if new > 0 { StatusCode::CREATED } else { StatusCode::OK }
}

/// The same for what looks at all that is wanted.
async fn reading_all<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(Journal) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let permit = app.reads.whole().await?;
    read_with(app, permit, work).await
}

async fn read_with<T: Send + 'static>(
    app: &Arc<App>,
    permit: OwnedSemaphorePermit,
    work: impl FnOnce(Journal) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let journal = app.journaling.journal()?.clone();
    let read = move || {
        let _permit = permit;
        crate::journaling::catch_up(&journal);
        work(journal)
    };
    tokio::task::spawn_blocking(read).await?
}

impl From<JournalError> for Problem {
    fn from(error: JournalError) -> Self {
        let (status, code) = match &error {
            JournalError::NoSuchPrediction { .. } => (StatusCode::NOT_FOUND, "not_found"),
            JournalError::NotKept { .. } => (StatusCode::NOT_FOUND, "not_kept"),
            JournalError::NoSuchBeat { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "no_such_beat"),
            JournalError::Labels { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "bad_label"),
            JournalError::KeyReused { .. } => (StatusCode::CONFLICT, "key_reused"),
            JournalError::Cursor { .. } => (StatusCode::BAD_REQUEST, "bad_cursor"),
            JournalError::Export { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "no_export"),
            JournalError::Full { .. } | JournalError::Closed => return Self::busy(error.to_string()),
            _ => return Self::internal(&error),
        };
        Self::new(status, code, error.to_string())
    }
}
