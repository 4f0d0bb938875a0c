//! `/v1/samples`: recordings to try the product with.

use super::App;
use super::body::Path;
use super::caller::Caller;
use super::classified::classified;
use super::problem::Problem;
use super::recordings::keep;
use crate::input::Request;
use crate::samples::SAMPLES;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use std::borrow::Cow;
use std::sync::Arc;

#[derive(Serialize, JsonSchema)]
pub(crate) struct SampleList {
    items: Vec<SampleItem>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct SampleItem {
    id: &'static str,
    title: &'static str,
    description: &'static str,
}

pub(crate) async fn list_samples() -> Json<SampleList> {
    let items = SAMPLES
        .iter()
        .map(|sample| SampleItem {
            id: sample.id,
            title: sample.title,
            description: sample.description,
        })
        .collect();
    Json(SampleList { items })
}

pub(crate) async fn create_sample_recording(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let sample = SAMPLES
        .iter()
        .find(|sample| sample.id == id)
        .ok_or_else(|| Problem::not_found("sample of that id"))?;
    let files = sample
        .files
        .iter()
        .map(|(name, bytes)| ((*name).to_owned(), Cow::Borrowed(*bytes)))
        .collect();
    let here = caller.here(&app);
    let answer = classified(&app, &caller, files, Request::default(), Vec::new()).await?;
    keep(&app, answer, here).await
}
