//! `/v1/system` and health: what runs here.

use super::App;
use super::caller::Caller;
use super::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use einthoven_serving::Usage;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
pub(crate) struct System {
    name: &'static str,
    version: &'static str,
    models: Vec<Model>,
    /// What loaded versions count as, and what they may.
    memory: Usage,
    limits: Limits,
}

#[derive(Serialize)]
struct Model {
    name: String,
    version: String,
    digest: String,
    recipe: String,
    engine: String,
    labels: Vec<String>,
}

#[derive(Serialize)]
struct Limits {
    body_bytes: usize,
}

pub(crate) async fn get_system(State(app): State<Arc<App>>, caller: Caller) -> Json<System> {
    let loaded = app.loaded.list();
    let models = loaded
        .iter()
        .filter(|(name, ..)| caller.sees(name.as_str()))
        .map(|(_, _, model)| Model {
            name: model.manifest().name.clone(),
            version: model.manifest().version.clone(),
            digest: model.digest().to_owned(),
            recipe: model.manifest().recipe.clone(),
            engine: model.engine().to_owned(),
            labels: model.manifest().labels.clone(),
        })
        .collect();
    Json(System {
        name: "einthoven",
        version: env!("CARGO_PKG_VERSION"),
        models,
        memory: app.loaded.usage(),
        limits: Limits {
            body_bytes: app.body_limit,
        },
    })
}

/// Answers as soon as the port is open.
pub(crate) async fn get_live() -> StatusCode {
    StatusCode::OK
}

/// Ready when every model that is to answer does: its champion is loaded and gave its golden outputs, or another version
/// of it goes on until then.
pub(crate) async fn get_ready(State(app): State<Arc<App>>) -> Result<StatusCode, Problem> {
    let waiting = app.loaded.waiting();
    if waiting.is_empty() {
        return Ok(StatusCode::OK);
    }
    Err(Problem::busy(format!("not loaded yet: {}", waiting.join(", "))))
}
