//! `/v1/audit`: every change, newest first.

use super::App;
use super::body::Query;
use super::models::List;
use super::problem::Problem;
use axum::Json;
use axum::extract::State;
use einthoven_registry::{AuditEntry, Filter};
use einthoven_registry_log::Head;
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

/// Entries of one answer at most.
const PAGE: usize = 1000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// About that model.
    model: Option<String>,
    /// Asked for by that person or key.
    who: Option<String>,
    /// Entries of one answer at most.
    limit: Option<usize>,
    /// The number of the last entry seen.
    cursor: Option<u64>,
}

pub(crate) async fn list_entries(
    State(app): State<Arc<App>>,
    Query(which): Query<Which>,
) -> Result<Json<List<AuditEntry>>, Problem> {
    let limit = which.limit.unwrap_or(100).clamp(1, PAGE);
    let filter = Filter {
        model: which.model,
        who: which.who,
        before: which.cursor,
        limit,
    };
    let items = app.registry().audit(&filter).await?;
    let last = items
        .last()
        .map(|entry| entry.seq)
        .filter(|seq| *seq > 1 && items.len() == limit);
    let next = last.map(|seq| seq.to_string());
    Ok(Json(List { items, next }))
}

/// Where the log ends now: what a deployer anchors.
pub(crate) async fn get_head(State(app): State<Arc<App>>) -> Result<Json<Head>, Problem> {
    let head = app.registry().log().head().await;
    head.map(Json).map_err(|cause| Problem::internal(&cause))
}
