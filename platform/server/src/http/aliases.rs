//! Movable names for versions.

use super::App;
use super::body::{Body, Path, Query};
use super::caller::Caller;
use super::models::{Reason, shown};
use super::problem::Problem;
use axum::extract::State;
use axum::response::Response;
use einthoven_registry_state::{AliasName, Change, ModelName, VersionName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AliasTarget")]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    pub(crate) version: VersionName,
    pub(crate) reason: Option<String>,
}

pub(crate) async fn set_alias(
    State(app): State<Arc<App>>,
    Path((model, alias)): Path<(ModelName, AliasName)>,
    caller: Caller,
    Body(target): Body<Target>,
) -> Result<Response, Problem> {
    let to = Some(target.version);
    let name = model.clone();
    let done = app
        .change(&caller, target.reason, Change::MoveAlias { model, alias, to })
        .await?;
    Ok(shown(done.state.model(&name)?))
}

pub(crate) async fn delete_alias(
    State(app): State<Arc<App>>,
    Path((model, alias)): Path<(ModelName, AliasName)>,
    caller: Caller,
    Query(query): Query<Reason>,
) -> Result<Response, Problem> {
    let name = model.clone();
    let change = Change::MoveAlias { model, alias, to: None };
    let done = app.change(&caller, query.reason, change).await?;
    Ok(shown(done.state.model(&name)?))
}
