//! The repository: which versions there are, and whether they answer. Loading and unloading are changes of the traffic: they
//! last, every server of the registry follows, and the audit names who asked.

use super::run::resolved;
use crate::http::App;
use crate::http::body::{Body, Path};
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use einthoven_auth::{Principal, Scope};
use einthoven_oip::document::IndexRow;
use einthoven_onboard::By;
use einthoven_registry_state::{ModelName, Phase, Reference, Selector, Traffic, Version};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(rename = "RepositoryIndexQuery")]
pub(crate) struct IndexQuery {
    /// Only what would answer at once.
    #[serde(default)]
    pub(crate) ready: bool,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(rename = "RepositoryLoad")]
pub(crate) struct LoadQuery {
    #[serde(default)]
    parameters: BTreeMap<String, serde_json::Value>,
}

pub(crate) async fn list_index(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(query): Body<IndexQuery>,
) -> Json<Vec<IndexRow>> {
    Json(index_of(&app, caller.principal(), &query))
}

/// Every version of every model that they may read about.
pub(crate) fn index_of(app: &App, principal: &Principal, query: &IndexQuery) -> Vec<IndexRow> {
    let state = app.registry().state();
    let seen = state
        .models
        .values()
        .filter(|model| principal.may_for(Scope::ModelsRead, model.name.as_str()));
    let mut rows = Vec::new();
    for model in seen {
        for version in model.by_age() {
            let loaded = app.loaded.get(&model.name, version).is_some();
            let (status, reason) = said(version, loaded);
            if !query.ready || status == "READY" {
                rows.push(IndexRow {
                    name: model.name.to_string(),
                    version: version.name.to_string(),
                    state: status,
                    reason,
                });
            }
        }
    }
    rows
}

fn said(version: &Version, loaded: bool) -> (&'static str, String) {
    match &version.phase {
        Phase::Ready(_) if loaded => ("READY", String::new()),
        Phase::Ready(_) => (
            "UNAVAILABLE",
            "not in memory; the first request for it loads it".to_owned(),
        ),
        Phase::Fetching | Phase::Verifying => ("LOADING", version.phase.name().to_owned()),
        phase => ("UNAVAILABLE", phase.name().to_owned()),
    }
}

pub(crate) async fn load_model(
    State(app): State<Arc<App>>,
    Path(model): Path<ModelName>,
    caller: Caller,
    Body(query): Body<LoadQuery>,
) -> Result<StatusCode, Problem> {
    if query
        .parameters
        .keys()
        .any(|name| name == "config" || name.starts_with("file:"))
    {
        let detail = "models do not come with a request to load them; send files to /v1/models/{model}/versions";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "unsupported", detail).at("parameters"));
    }
    load(&app, &caller.by(None)?, &model, caller.seen).await?;
    Ok(StatusCode::OK)
}

pub(crate) async fn unload_model(
    State(app): State<Arc<App>>,
    Path(model): Path<ModelName>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    unload(&app, &caller.by(None)?, &model, caller.seen).await?;
    Ok(StatusCode::OK)
}

/// Brings what is to answer into memory; where the model was unloaded, what answered before is to answer again.
pub(crate) async fn load(app: &App, by: &By, model: &ModelName, seen: Option<u64>) -> Result<(), Problem> {
    let stopped = {
        let state = app.registry().state();
        let found = state.model(model)?;
        found.traffic.champion.is_none() && found.past.last().is_some_and(|before| before.champion.is_some())
    };
    if stopped {
        app.onboarding.roll_back(by, model, seen).await?;
    }
    let reference = Reference {
        model: model.clone(),
        selector: Selector::Traffic,
    };
    resolved(app, &reference).await.map(|_| ())
}

/// Lets nothing of the model answer.
pub(crate) async fn unload(app: &App, by: &By, model: &ModelName, seen: Option<u64>) -> Result<(), Problem> {
    app.onboarding.set_traffic(by, model, Traffic::default(), seen).await?;
    Ok(())
}
