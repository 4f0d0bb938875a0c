//! Experiments as they stand.

use super::super::App;
use super::super::body::{Path, Query};
use super::super::caller::{Caller, etag};
use super::super::models::List;
use super::super::problem::Problem;
use super::find;
use crate::experiments::{ArmOf, Rules, Seen};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use einthoven_experiments::guard::{Broken, Rail};
use einthoven_registry_state::{
    Challenger, Ended, Experiment, ExperimentName, FrozenReference, Model, ModelName, VersionName, Withdrawn,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An experiment, and what this server saw of those that still run.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ExperimentStatus")]
pub(crate) struct ExperimentOut {
    name: ExperimentName,
    model: ModelName,
    running: bool,
    champion: VersionName,
    splits: Vec<Challenger>,
    shadows: Vec<Challenger>,
    rules: Rules,
    started_at: Timestamp,
    started_by: String,
    why: String,
    seq: u64,
    /// What later recordings of each version are compared with, by version, once there were enough.
    references: BTreeMap<String, FrozenReference>,
    withdrawn: Vec<Withdrawn>,
    ended: Option<Ended>,
    here: Vec<Here>,
    revision: u64,
}

/// What one arm did on this server since it takes part as it does.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ArmHere")]
pub(crate) struct Here {
    version: VersionName,
    #[serde(flatten)]
    seen: Seen,
    /// Beats of the sentinel set that it misses and the champion finds; none where it was not measured.
    sentinel_misses: Option<u64>,
    /// When the rails were looked at last.
    looked_at: Option<Timestamp>,
    undecided: Vec<Rail>,
    broken: Vec<Broken>,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ExperimentFilter")]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Of that model.
    model: Option<ModelName>,
    /// Whether they run.
    running: Option<bool>,
}

/// Newest first.
pub(crate) async fn list_experiments(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Json<List<ExperimentOut>> {
    let state = app.registry().state();
    let models = state.models.values().filter(|model| {
        caller.sees(model.name.as_str()) && wanted.model.as_ref().is_none_or(|name| *name == model.name)
    });
    let mut items: Vec<_> = models
        .flat_map(|model| {
            model
                .experiments
                .values()
                .map(|experiment| out(&app, model, experiment))
        })
        .filter(|experiment| wanted.running.is_none_or(|running| running == experiment.running))
        .collect();
    items.sort_by_key(|experiment| std::cmp::Reverse(experiment.seq));
    Json(List { items, next: None })
}

pub(crate) async fn get_experiment(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<ExperimentName>,
) -> Result<Response, Problem> {
    let (model, experiment) = find(&app, &caller, &name)?;
    Ok(shown(StatusCode::OK, &app, &model, &experiment))
}

pub(super) fn shown(status: StatusCode, app: &App, model: &Model, experiment: &Experiment) -> Response {
    let body = out(app, model, experiment);
    (status, [etag(model.revision)], Json(body)).into_response()
}

fn out(app: &App, model: &Model, experiment: &Experiment) -> ExperimentOut {
    let running = experiment.ended.is_none();
    let here = |version: &VersionName| {
        let (name, version_name) = (experiment.name.as_str(), version.as_str());
        let looked = app.comparing.looked(name, version_name);
        let (looked_at, ruling) = looked.map(|looked| (looked.at, looked.ruling)).unzip();
        let (undecided, broken) = ruling
            .map(|ruling| (ruling.undecided, ruling.broken))
            .unwrap_or_default();
        let arm = ArmOf {
            model: model.name.to_string(),
            experiment: name.to_owned(),
            version: version_name.to_owned(),
            since: model.takes_part_since(version).map_or(0, |change| change.seq),
        };
        Here {
            version: version.clone(),
            seen: app.comparing.meters.of(&arm),
            sentinel_misses: app.comparing.sentinels.missed(name, version_name),
            looked_at,
            undecided,
            broken,
        }
    };
    let challengers = experiment.splits.iter().chain(&experiment.shadows);
    let arms = std::iter::once(&experiment.champion).chain(challengers.map(|challenger| &challenger.version));
    ExperimentOut {
        name: experiment.name.clone(),
        model: model.name.clone(),
        running,
        champion: experiment.champion.clone(),
        splits: experiment.splits.clone(),
        shadows: experiment.shadows.clone(),
        rules: Rules::of(&experiment.rules),
        started_at: experiment.started_at,
        started_by: experiment.started_by.clone(),
        why: experiment.why.clone(),
        seq: experiment.seq,
        references: experiment
            .references
            .iter()
            .map(|(version, reference)| (version.to_string(), reference.clone()))
            .collect(),
        withdrawn: experiment.withdrawn.clone(),
        ended: experiment.ended.clone(),
        here: if running { arms.map(here).collect() } else { Vec::new() },
        revision: model.revision,
    }
}
