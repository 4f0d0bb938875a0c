//! `/v1/system` and health: what runs here.

use super::App;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
pub(crate) struct System {
    name: &'static str,
    version: &'static str,
    models: Vec<Model>,
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

pub(crate) async fn get_system(State(app): State<Arc<App>>) -> Json<System> {
    let models = app
        .models
        .iter()
        .map(|model| Model {
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
        limits: Limits {
            body_bytes: app.body_limit,
        },
    })
}

/// Answers as soon as the port is open, which is after the models are loaded and gave their golden outputs.
pub(crate) async fn get_live() -> StatusCode {
    StatusCode::OK
}
