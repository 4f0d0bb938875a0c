//! MLflow's scoring server: `POST /invocations`, and what its clients ask beside it.

mod score;

use super::App;
use super::access::{Access, Table, get, post};
use super::problem::Problem;
use crate::readiness;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use einthoven_auth::Scope;
use std::sync::Arc;

pub(crate) use score::Asked;

/// The release of MLflow whose scoring protocol this is; clients ask `/version` for it.
const MLFLOW: &str = "3.1.0";

const PLAIN: &str = "text/plain; charset=utf-8";

/// The routes.
pub(super) fn routes(table: Table) -> Table {
    use Access::{Needs, NeedsForSome, Open};
    table
        .route("/invocations", [post(NeedsForSome(Scope::Predict), score::score)])
        .route(
            "/models/{model}/invocations",
            [post(Needs(Scope::Predict), score::score_model)],
        )
        .route("/ping", [get(Open, ping)])
        .route("/health", [get(Open, ping)])
        .route("/version", [get(Open, version)])
}

/// Whether requests should be sent here; an empty line where they should, as MLflow answers; it
/// calls that JSON, which it is not, and its clients look at the status alone.
async fn ping(State(app): State<Arc<App>>) -> Result<impl IntoResponse, Problem> {
    readiness::server(&app.lifecycle, &app.loaded)?;
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, PLAIN)], "\n"))
}

async fn version() -> impl IntoResponse {
    (StatusCode::OK, [(header::CONTENT_TYPE, PLAIN)], MLFLOW)
}
