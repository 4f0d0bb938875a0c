//! `POST /v1/classify`: a recording in, its beats out, nothing kept; or, where the answer is not waited for, a job.

use super::App;
use super::caller::Caller;
use super::jobs;
use super::problem::Problem;
use super::upload::Upload;
use crate::input::Answer;
use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

pub(crate) async fn classify_recording(
    State(app): State<Arc<App>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let upload = Upload::receive(&app, request).await?;
    if !upload.waits() {
        return jobs::create(&app, &caller, upload).await;
    }
    Ok(match upload.answer(&app, &caller).await? {
        Answer::Beats { document, .. } => Json(document).into_response(),
        Answer::Rows(document) => Json(document).into_response(),
    })
}
