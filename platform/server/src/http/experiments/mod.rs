//! `/v1/experiments`: versions compared, what is known of them, and how each ended.

pub(crate) mod change;
pub(crate) mod disagreements;
pub(crate) mod drift;
pub(crate) mod list;
pub(crate) mod verdict;

use super::App;
use super::access::{Access, Table, delete, get, patch, post};
use super::caller::Caller;
use super::problem::Problem;
use crate::experiments::evidence::Sources;
use axum::http::StatusCode;
use einthoven_auth::Scope;
use einthoven_registry_state::{Experiment, ExperimentName, Model, Refusal, VersionName};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

/// The routes of experiments.
pub(super) fn routes(table: Table) -> Table {
    use Access::NeedsForSome;
    use Scope::{ModelsRead, Traffic};
    table
        .route(
            "/v1/experiments",
            [
                get(NeedsForSome(ModelsRead), list::list_experiments),
                post(NeedsForSome(Traffic), change::start_experiment),
            ],
        )
        .route(
            "/v1/experiments/{name}",
            [
                get(NeedsForSome(ModelsRead), list::get_experiment),
                patch(NeedsForSome(Traffic), change::change_experiment),
                delete(NeedsForSome(Traffic), change::stop_experiment),
            ],
        )
        .route(
            "/v1/experiments/{name}/verdict",
            [get(NeedsForSome(ModelsRead), verdict::get_verdict)],
        )
        .route(
            "/v1/experiments/{name}/disagreements",
            [get(NeedsForSome(ModelsRead), disagreements::list_disagreements)],
        )
        .route(
            "/v1/experiments/{name}/drift",
            [get(NeedsForSome(ModelsRead), drift::get_drift)],
        )
        .route(
            "/v1/experiments/{name}/drift/reference",
            [post(NeedsForSome(Traffic), drift::freeze_reference)],
        )
}

/// Which challenger is meant.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "AgainstFilter")]
#[serde(deny_unknown_fields)]
pub(crate) struct Against {
    /// Needless where there is one.
    challenger: Option<VersionName>,
}

/// An experiment as it stands, with its model. As good as absent for who may not see the model.
fn find(app: &App, caller: &Caller, name: &ExperimentName) -> Result<(Arc<Model>, Experiment), Problem> {
    let state = app.registry().state();
    let holds = |model: &&Arc<Model>| model.experiments.contains_key(name) && caller.sees(model.name.as_str());
    let model = state.models.values().find(holds);
    let found = model.and_then(|model| Some((Arc::clone(model), model.experiments.get(name)?.clone())));
    found.ok_or_else(|| {
        let experiment = name.clone();
        Refusal::NoSuchExperiment { experiment }.into()
    })
}

/// The answers of the champion and one challenger.
fn sources(
    app: &App,
    caller: &Caller,
    name: &ExperimentName,
    wanted: Option<VersionName>,
) -> Result<(Experiment, Sources), Problem> {
    let (model, experiment) = find(app, caller, name)?;
    let journal = app.journaling.journal()?.clone();
    let all = challengers(&experiment);
    let challenger = match (wanted, all.as_slice()) {
        (Some(wanted), all) if all.contains(&wanted) => wanted,
        (None, [one]) => one.clone(),
        (wanted, all) => {
            let there: Vec<_> = all.iter().map(|one| format!("`{one}`")).collect();
            let what = match wanted {
                Some(wanted) => format!("`{wanted}` is no challenger of it"),
                None => "it has several challengers; say which by `challenger`".to_owned(),
            };
            let detail = format!("{what}; there are {}", there.join(", "));
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_field", detail).at("challenger"));
        }
    };
    let sources = Sources {
        journal,
        model: model.name.to_string(),
        experiment: experiment.name.to_string(),
        champion: experiment.champion.to_string(),
        challenger: challenger.to_string(),
        since: None,
    };
    Ok((experiment, sources))
}

/// Every challenger it had, each once; those that were withdrawn last.
fn challengers(experiment: &Experiment) -> Vec<VersionName> {
    let now = experiment.splits.iter().chain(&experiment.shadows);
    let gone = experiment.withdrawn.iter().map(|withdrawn| &withdrawn.challenger);
    let mut all: Vec<VersionName> = Vec::new();
    for challenger in now.chain(gone) {
        if !all.contains(&challenger.version) {
            all.push(challenger.version.clone());
        }
    }
    all
}
