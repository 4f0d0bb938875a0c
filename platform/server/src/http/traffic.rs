//! What answers, what answered, and the way back.

use super::App;
use super::body::{Body, Path};
use super::caller::{Caller, etag};
use super::models::{List, Reason};
use super::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use einthoven_registry::Done;
use einthoven_registry_state::{
    Challenger, Event, ExperimentName, Model, ModelName, Proposal, Traffic, TrafficChange, VersionName,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["champion"]))]
pub(crate) struct NewTraffic {
    /// `null` where nothing is to answer. It must be said: a body without it takes nothing away.
    #[serde(deserialize_with = "Option::deserialize")]
    pub(crate) champion: Option<VersionName>,
    /// Answer a share of the subjects in its place.
    #[serde(default)]
    pub(crate) splits: Vec<Challenger>,
    /// Compute a share of the subjects beside it and answer nobody.
    #[serde(default)]
    pub(crate) shadows: Vec<Challenger>,
    /// What subjects are dealt out by.
    pub(crate) experiment: Option<ExperimentName>,
    pub(crate) reason: Option<String>,
}

/// What answers, and whether a promotion waits for a second person.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TrafficState")]
pub(crate) struct TrafficOut {
    #[serde(flatten)]
    pub(crate) traffic: Traffic,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) proposal: Option<Proposal>,
    /// What a rollback would bring back.
    pub(crate) previous: Option<Traffic>,
}

pub(crate) async fn get_traffic(State(app): State<Arc<App>>, Path(name): Path<ModelName>) -> Result<Response, Problem> {
    Ok(shown(StatusCode::OK, app.registry().state().model(&name)?))
}

fn shown(status: StatusCode, model: &Model) -> Response {
    let body = TrafficOut {
        traffic: model.traffic.clone(),
        proposal: model.proposal.clone(),
        previous: model.previous(),
    };
    (status, [etag(model.revision)], Json(body)).into_response()
}

/// Puts the whole policy: its versions are loaded here first, so that the change is between two requests. A champion alone
/// is a promotion. 202 where a second person must say so too.
pub(crate) async fn set_traffic(
    State(app): State<Arc<App>>,
    Path(name): Path<ModelName>,
    caller: Caller,
    Body(new): Body<NewTraffic>,
) -> Result<Response, Problem> {
    let by = caller.by(new.reason)?;
    let wanted = Traffic {
        champion: new.champion,
        splits: new.splits,
        shadows: new.shadows,
        experiment: new.experiment,
    };
    let done = match &wanted.champion {
        Some(champion) if wanted == Traffic::only(champion.clone()) => {
            app.onboarding.promote(&by, &name, champion, caller.seen).await?
        }
        _ => app.onboarding.set_traffic(&by, &name, wanted, caller.seen).await?,
    };
    Ok(shown(made_or_proposed(&done), done.state.model(&name)?))
}

/// 200 where a change was made, 202 where a second person must ask for the same.
pub(super) fn made_or_proposed(done: &Done) -> StatusCode {
    let mut events = done.entries.iter().map(|(_, record)| &record.event);
    if events.any(|event| matches!(event, Event::PromotionProposed { .. })) {
        StatusCode::ACCEPTED
    } else {
        StatusCode::OK
    }
}

pub(crate) async fn roll_back(
    State(app): State<Arc<App>>,
    Path(name): Path<ModelName>,
    caller: Caller,
    Body(body): Body<Reason>,
) -> Result<Response, Problem> {
    let by = caller.by(body.reason)?;
    let done = app.onboarding.roll_back(&by, &name, caller.seen).await?;
    Ok(shown(StatusCode::OK, done.state.model(&name)?))
}

/// Every change of traffic, newest first.
pub(crate) async fn list_history(
    State(app): State<Arc<App>>,
    Path(name): Path<ModelName>,
) -> Result<Json<List<TrafficChange>>, Problem> {
    let state = app.registry().state();
    let items = state.model(&name)?.history.iter().rev().cloned().collect();
    Ok(Json(List { items, next: None }))
}
