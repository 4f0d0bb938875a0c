//! `POST /v1/labels`: the same said about beats of several predictions, such as those of a cluster.

use super::super::App;
use super::super::body::Body;
use super::super::caller::Caller;
use super::super::problem::Problem;
use super::labels::{Said, key};
use super::{created, find, reading};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use einthoven_auth::Scope;
use einthoven_journal::labels::{Mark, Truth};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Predictions in one request at most.
const MOST: usize = 1000;

/// A mark with the prediction that it is about.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "PlacedMark")]
pub(crate) struct Placed {
    prediction: String,
    at: u64,
    #[serde(flatten)]
    truth: Truth,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LabelsTaken")]
pub(crate) struct Taken {
    key: String,
    new: usize,
    repeated: usize,
    predictions: usize,
}

/// All marks are taken or none, whatever is wrong with one of them and whenever the process ends.
pub(crate) async fn create_labels(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Body(mut said): Body<Said<Placed>>,
) -> Result<Response, Problem> {
    let key = key(&headers)?;
    let mut by_prediction: BTreeMap<String, Vec<Mark>> = BTreeMap::new();
    for Placed { prediction, at, truth } in std::mem::take(&mut said.marks) {
        by_prediction.entry(prediction).or_default().push(Mark { at, truth });
    }
    if by_prediction.is_empty() || by_prediction.len() > MOST {
        let detail = format!("`marks` must be about 1 to {MOST} predictions");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_field", detail).at("marks"));
    }
    let taken = reading(&app, move |journal| {
        let reader = caller.principal().name();
        let mut labels = Vec::with_capacity(by_prediction.len());
        for (id, marks) in by_prediction {
            let entry = find(&journal, &caller, Scope::Label, &id)?;
            let label = said.label(reader, &key, entry.id, marks);
            labels.push(label);
        }
        let predictions = labels.len();
        let all = journal.label_all(labels)?;
        Ok(Taken {
            key,
            new: all.new,
            repeated: all.repeated,
            predictions,
        })
    })
    .await?;
    Ok((created(taken.new), Json(taken)).into_response())
}
