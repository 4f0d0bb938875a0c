//! Starting, changing and stopping.

use super::super::App;
use super::super::body::{Body, Path, Query};
use super::super::caller::Caller;
use super::super::models::Reason;
use super::super::problem::Problem;
use super::super::traffic::made_or_proposed;
use super::find;
use super::list::shown;
use crate::experiments::{Rules, sentinel};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use einthoven_auth::Scope;
use einthoven_registry_state::{Challenger, Change, ExperimentName, ModelName, Proposal, Wanted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// That a second person must ask for the same.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ExperimentProposed")]
pub(crate) struct Proposed {
    proposal: Option<Proposal>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewExperiment {
    name: ExperimentName,
    model: ModelName,
    /// Answer a share of the subjects.
    #[serde(default)]
    splits: Vec<Challenger>,
    /// Compute a share of the subjects beside the champion.
    #[serde(default)]
    shadows: Vec<Challenger>,
    #[serde(default)]
    rules: Rules,
    reason: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExperimentPatch {
    /// All of them.
    splits: Option<Vec<Challenger>>,
    /// All of them.
    shadows: Option<Vec<Challenger>>,
    /// All of them: what is left out is as usual.
    rules: Option<Rules>,
    reason: Option<String>,
}

async fn written(app: &App, model: &ModelName, rules: Rules) -> Result<serde_json::Value, Problem> {
    let rules = rules.checked()?;
    if !rules.sentinel.is_empty() {
        let journal = app.journaling.journal()?.clone();
        let (model, set) = (model.to_string(), rules.sentinel.clone());
        tokio::task::spawn_blocking(move || sentinel::check(&journal, &model, &set)).await??;
    }
    serde_json::to_value(rules).map_err(|cause| Problem::internal(&cause))
}

/// 202 where a second person must ask for the same.
pub(crate) async fn start_experiment(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(new): Body<NewExperiment>,
) -> Result<Response, Problem> {
    caller.may(Scope::Traffic, new.model.as_str())?;
    // Without what was answered there is nothing to compare.
    app.journaling.journal()?;
    let by = caller.by(new.reason)?;
    let wanted = Wanted {
        splits: Some(new.splits),
        shadows: Some(new.shadows),
        rules: Some(written(&app, &new.model, new.rules).await?),
    };
    let started = app
        .onboarding
        .start_experiment(&by, &new.model, &new.name, wanted, caller.seen);
    let done = started.await?;
    let model = done.state.model(&new.model)?;
    let Some(experiment) = model.experiments.get(&new.name) else {
        let proposed = made_or_proposed(&done) == StatusCode::ACCEPTED;
        let proposal = model.proposal.clone().filter(|_| proposed);
        return Ok((StatusCode::ACCEPTED, axum::Json(Proposed { proposal })).into_response());
    };
    let location = [(header::LOCATION, format!("/v1/experiments/{}", new.name))];
    Ok((location, shown(StatusCode::CREATED, &app, model, experiment)).into_response())
}

pub(crate) async fn change_experiment(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<ExperimentName>,
    Body(new): Body<ExperimentPatch>,
) -> Result<Response, Problem> {
    let (model, _) = find(&app, &caller, &name)?;
    caller.may(Scope::Traffic, model.name.as_str())?;
    let by = caller.by(new.reason)?;
    let rules = match new.rules {
        Some(rules) => Some(written(&app, &model.name, rules).await?),
        None => None,
    };
    let wanted = Wanted {
        splits: new.splits,
        shadows: new.shadows,
        rules,
    };
    let changed = app
        .onboarding
        .change_experiment(&by, &model.name, &name, wanted, caller.seen);
    let done = changed.await?;
    let (model, experiment) = done.state.experiment(&name)?;
    Ok(shown(made_or_proposed(&done), &app, model, experiment))
}

/// The champion answers everybody again; what was compared can still be read.
pub(crate) async fn stop_experiment(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<ExperimentName>,
    Query(query): Query<Reason>,
) -> Result<Response, Problem> {
    let (model, _) = find(&app, &caller, &name)?;
    caller.may(Scope::Traffic, model.name.as_str())?;
    let change = Change::StopExperiment {
        model: model.name.clone(),
        experiment: name.clone(),
    };
    let done = app.change(&caller, query.reason, change).await?;
    let (model, experiment) = done.state.experiment(&name)?;
    Ok(shown(StatusCode::OK, &app, model, experiment))
}
