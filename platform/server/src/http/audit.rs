//! `/v1/audit`: every change, newest first.

use super::App;
use super::body::Query;
use super::models::List;
use super::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use einthoven_registry::{AuditEntry, Filter};
use einthoven_registry_log::{ChainBroken, Hash, Head};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
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

/// Where the log ended once, as somebody kept it.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "KeptHead")]
#[serde(deny_unknown_fields)]
pub(crate) struct KeptHead {
    /// Its number; both or neither.
    seq: Option<u64>,
    /// Its hash.
    hash: Option<Hash>,
}

/// What reading the log from its first entry to its last found.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LogVerification")]
pub(crate) struct Verification {
    /// Nothing was changed, removed or reordered.
    whole: bool,
    /// Where it ends, as far as this server knows.
    head: Head,
    /// Whether it goes on from the head that was given; null where none was.
    continues: Option<bool>,
    /// The first thing that is wrong.
    finding: Option<String>,
}

/// Reads the whole log again, from its first entry.
pub(crate) async fn get_verification(
    State(app): State<Arc<App>>,
    Query(kept): Query<KeptHead>,
) -> Result<Json<Verification>, Problem> {
    let anchor = match (kept.seq, kept.hash) {
        (Some(seq), Some(hash)) => Some(Head { seq, hash }),
        (None, None) => None,
        _ => {
            let detail = "`seq` and `hash` belong together: give both as they were kept, or neither";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_field", detail).at("seq"));
        }
    };
    let log = app.registry().log();
    let head = log.head().await.map_err(|cause| Problem::internal(&cause))?;
    let found = match log.verify(anchor.as_slice()).await {
        Ok(verified) => Verification {
            whole: true,
            head: verified.head,
            continues: anchor.map(|_| true),
            finding: None,
        },
        Err(ChainBroken::Unreadable(cause)) => return Err(Problem::internal(&cause)),
        Err(broken) => {
            // A head that is not in it says that the log is another one, or was cut: without it the chain may be whole.
            let alone = anchor.is_some() && log.verify(&[]).await.is_ok();
            Verification {
                whole: alone,
                head,
                continues: anchor.map(|_| false),
                finding: Some(broken.to_string()),
            }
        }
    };
    Ok(Json(found))
}
