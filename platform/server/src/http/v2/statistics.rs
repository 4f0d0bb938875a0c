//! Counts and times of loaded versions.

use super::named::Named;
use super::run::resolved;
use crate::http::App;
use crate::http::body::Path;
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use axum::Json;
use axum::extract::State;
use einthoven_auth::{Principal, Scope};
use einthoven_classify::ServedModel;
use einthoven_oip::document::{BatchStatistics, InferStatistics, ModelStatistics, Statistics, Times};
use einthoven_registry_state::{Reference, Selector};
use std::sync::Arc;

pub(crate) async fn get_all(State(app): State<Arc<App>>, caller: Caller) -> Json<Statistics> {
    Json(of_all(&app, caller.principal()))
}

pub(crate) async fn get_model(
    State(app): State<Arc<App>>,
    Path(named): Path<Named>,
) -> Result<Json<Statistics>, Problem> {
    Ok(Json(of(&app, &named.reference()?).await?))
}

/// Of every loaded version of every model that they may read about.
pub(crate) fn of_all(app: &App, principal: &Principal) -> Statistics {
    let loaded = app.loaded.list().into_iter();
    let seen = loaded.filter(|(model, ..)| principal.may_for(Scope::ModelsRead, model.as_str()));
    Statistics {
        model_stats: seen.map(|(.., served)| statistics(&served)).collect(),
    }
}

/// Of one version, or of every loaded version of a model.
pub(crate) async fn of(app: &App, reference: &Reference) -> Result<Statistics, Problem> {
    if reference.selector != Selector::Traffic {
        let served = resolved(app, reference).await?;
        return Ok(Statistics {
            model_stats: vec![statistics(&served)],
        });
    }
    app.registry().state().model(&reference.model)?;
    let loaded = app.loaded.list().into_iter();
    let own = loaded.filter(|(model, ..)| *model == reference.model);
    Ok(Statistics {
        model_stats: own.map(|(.., served)| statistics(&served)).collect(),
    })
}

fn statistics(served: &ServedModel) -> ModelStatistics {
    let counted = served.statistics();
    let failed = counted.failed + counted.expired + counted.invalid + counted.refused + counted.cancelled;
    ModelStatistics {
        name: served.manifest().name.clone(),
        version: served.manifest().version.clone(),
        last_inference: counted.last_ms,
        inference_count: counted.rows,
        execution_count: counted.executions,
        inference_stats: InferStatistics {
            success: Times::of(counted.succeeded, counted.queued + counted.computed),
            fail: Times::of(failed, counted.failing),
            queue: Times::of(counted.succeeded, counted.queued),
            compute_input: Times::of(counted.executions, counted.assembling),
            compute_infer: Times::of(counted.executions, counted.running),
            compute_output: Times::of(counted.executions, counted.answering),
        },
        batch_stats: counted
            .batches
            .iter()
            .map(|batch| BatchStatistics {
                batch_size: u64::try_from(batch.rows).unwrap_or(u64::MAX),
                compute_input: Times::of(batch.executions, batch.assembling),
                compute_infer: Times::of(batch.executions, batch.running),
                compute_output: Times::of(batch.executions, batch.answering),
            })
            .collect(),
    }
}
