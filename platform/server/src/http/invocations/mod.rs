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

/// The release of MLflow whose scoring protocol this is; clients ask `/version` for it.
const MLFLOW: &str = "3.1.0";

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

/// Whether requests should be sent here; an empty line where they should, as MLflow answers.
async fn ping(State(app): State<Arc<App>>) -> Result<impl IntoResponse, Problem> {
    readiness::server(&app.lifecycle, &app.loaded)?;
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], "\n"))
}

async fn version() -> impl IntoResponse {
    (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], MLFLOW)
}
