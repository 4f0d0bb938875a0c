//! `/v1/models`: names that clients use.

use super::App;
use super::body::{Body, Path, Query};
use super::caller::{Caller, etag};
use super::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use einthoven_auth::Scope;
use einthoven_registry_state::{Change, Gate, Model, ModelName, VersionName};
use einthoven_serving::Usage;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Models of one answer at most.
const PAGE: usize = 1000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    /// Items of one answer at most.
    limit: Option<usize>,
    /// `next` of the answer before.
    cursor: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "{T}List")]
pub(crate) struct List<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<String>,
}

/// A model in a list.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct ModelItem {
    pub(crate) name: ModelName,
    description: String,
    pub(crate) champion: Option<VersionName>,
    pub(crate) versions: usize,
    revision: u64,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewModel {
    pub(crate) name: ModelName,
    #[serde(default)]
    pub(crate) description: String,
    pub(crate) reason: Option<String>,
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelPatch {
    pub(crate) description: Option<String>,
    pub(crate) gate: Option<Gate>,
    pub(crate) reason: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Why")]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    /// Why: one line, written into the log.
    pub(crate) reason: Option<String>,
}

pub(crate) async fn list_models(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Json<List<ModelItem>>, Problem> {
    let limit = page.limit.unwrap_or(PAGE).clamp(1, PAGE);
    let state = app.registry().state();
    let after = |name: &ModelName| page.cursor.as_deref().is_none_or(|cursor| name.as_str() > cursor);
    let seen = |name: &ModelName| after(name) && caller.sees(name.as_str());
    let mut rest = state.models.values().filter(|model| seen(&model.name));
    let items: Vec<_> = rest.by_ref().take(limit).map(|model| item(model)).collect();
    let more = rest.next().is_some();
    let next = items.last().filter(|_| more).map(|last| last.name.to_string());
    Ok(Json(List { items, next }))
}

fn item(model: &Model) -> ModelItem {
    ModelItem {
        name: model.name.clone(),
        description: model.description.clone(),
        champion: model.traffic.champion.clone(),
        versions: model.versions.len(),
        revision: model.revision,
    }
}

pub(crate) async fn create_model(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(new): Body<NewModel>,
) -> Result<Response, Problem> {
    caller.may(Scope::ModelsWrite, new.name.as_str())?;
    let change = Change::CreateModel {
        model: new.name.clone(),
        description: new.description,
    };
    let done = app.change(&caller, new.reason, change).await?;
    let location = [(header::LOCATION, format!("/v1/models/{}", new.name))];
    Ok((StatusCode::CREATED, location, shown(done.state.model(&new.name)?)).into_response())
}

pub(crate) async fn get_model(State(app): State<Arc<App>>, Path(name): Path<ModelName>) -> Result<Response, Problem> {
    Ok(shown(app.registry().state().model(&name)?))
}

/// A model as it is, under its ETag.
pub(crate) fn shown(model: &Model) -> Response {
    ([etag(model.revision)], Json(model)).into_response()
}

pub(crate) async fn update_model(
    State(app): State<Arc<App>>,
    Path(name): Path<ModelName>,
    caller: Caller,
    Body(patch): Body<ModelPatch>,
) -> Result<Response, Problem> {
    let mut changes = Vec::new();
    if let Some(description) = patch.description {
        let model = name.clone();
        changes.push(Change::DescribeModel { model, description });
    }
    if let Some(gate) = patch.gate {
        if let Some(rule) = &gate.metric
            && !(0.0..=1.0).contains(&rule.at_least)
        {
            let detail = format!(
                "`at_least` must be between 0 and 1, as measures are; it is {}",
                rule.at_least
            );
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_field", detail).at("gate/metric/at_least"));
        }
        let model = name.clone();
        changes.push(Change::SetGate { model, gate });
    }
    if changes.len() != 1 {
        let detail = "give one of `description` and `gate`: each is a change of its own";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_body", detail));
    }
    for change in changes {
        app.change(&caller, patch.reason.clone(), change).await?;
    }
    Ok(shown(app.registry().state().model(&name)?))
}

pub(crate) async fn delete_model(
    State(app): State<Arc<App>>,
    Path(model): Path<ModelName>,
    caller: Caller,
    Query(query): Query<Reason>,
) -> Result<StatusCode, Problem> {
    app.change(&caller, query.reason, Change::DeleteModel { model }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is loaded here.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LoadedVersions")]
pub(crate) struct Instances {
    items: Vec<Instance>,
    memory: Usage,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LoadedVersion")]
pub(crate) struct Instance {
    model: ModelName,
    version: VersionName,
    digest: String,
    engine: String,
    file: String,
    device: String,
    provider: String,
}

pub(crate) async fn list_instances(State(app): State<Arc<App>>, caller: Caller) -> Json<Instances> {
    let each = |(model, version, served): (ModelName, VersionName, Arc<einthoven_classify::ServedModel>)| Instance {
        model,
        version,
        digest: served.digest().to_owned(),
        engine: served.engine().to_owned(),
        file: served.file().to_owned(),
        device: served.device().to_string(),
        provider: served.provider().to_owned(),
    };
    Json(Instances {
        items: app
            .loaded
            .list()
            .into_iter()
            .filter(|(model, ..)| caller.sees(model.as_str()))
            .map(each)
            .collect(),
        memory: app.loaded.usage(),
    })
}
