//! `/v1/system` and health: what runs here.

use super::body::Path;
use super::caller::Caller;
use super::problem::Problem;
use super::{App, access};
use crate::readiness::{self, Unready};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use einthoven_registry_state::{ModelName, Reference, Selector};
use einthoven_serving::Usage;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize, JsonSchema)]
pub(crate) struct System {
    name: &'static str,
    version: &'static str,
    models: Vec<Model>,
    /// What loaded versions count as, and what they may.
    memory: Usage,
    limits: Limits,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SystemModel")]
pub(crate) struct Model {
    name: String,
    version: String,
    digest: String,
    recipe: Option<String>,
    engine: String,
    labels: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SystemLimits")]
pub(crate) struct Limits {
    body_bytes: usize,
    /// Of requests from one address, whoever sends them; `null` where they are not counted.
    address_rate: Option<AddressRate>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct AddressRate {
    /// In the long run.
    per_second: f64,
    /// At once after a pause.
    burst: f64,
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
            address_rate: app.access.address_rate.map(|per_second| AddressRate {
                per_second: f64::from(per_second),
                burst: access::burst(per_second),
            }),
        },
    })
}

/// Answers as soon as the port is open, until the process ends.
pub(crate) async fn get_live() -> StatusCode {
    StatusCode::OK
}

/// Whether requests should be sent here; see [`readiness::server`].
pub(crate) async fn get_ready(State(app): State<Arc<App>>) -> Result<StatusCode, Problem> {
    readiness::server(&app.lifecycle, &app.loaded)?;
    Ok(StatusCode::OK)
}

/// Whether a model would answer at once; see [`readiness::model`].
pub(crate) async fn get_model_ready(
    State(app): State<Arc<App>>,
    Path(model): Path<ModelName>,
) -> Result<StatusCode, Problem> {
    let reference = Reference {
        model,
        selector: Selector::Traffic,
    };
    readiness::model(&app.lifecycle, &app.loaded, &reference)??;
    Ok(StatusCode::OK)
}

impl From<Unready> for Problem {
    fn from(unready: Unready) -> Self {
        Self::busy(unready.to_string())
    }
}
