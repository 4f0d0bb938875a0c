//! `POST /upload`: the route of the Flask application that came before, for scripts that still call it.
//!
//! A multipart `file` in, `predictions` out: one class letter per row, or per beat where a recording was sent.

use super::App;
use super::caller::Caller;
use super::problem::Problem;
use super::upload::Upload;
use crate::input::Answer;
use axum::Json;
use axum::extract::{Request, State};
use einthoven_classify::ModelOut;
use einthoven_ecg::beat::BeatClass;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

/// `null` stands for a beat in an unreadable span.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FlaskPredictions")]
pub(crate) struct Predictions {
    predictions: Vec<Option<BeatClass>>,
    /// The entry in the journal; set where it is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    prediction: Option<String>,
    model: ModelOut,
    notice: &'static str,
}

pub(crate) async fn upload_csv(
    State(app): State<Arc<App>>,
    caller: Caller,
    request: Request,
) -> Result<Json<Predictions>, Problem> {
    let (predictions, prediction, model, notice) =
        match Upload::receive(&app, request).await?.answer(&app, &caller).await? {
            Answer::Rows(document) => (
                document.rows.iter().map(|row| Some(row.class)).collect(),
                document.prediction,
                document.model,
                document.notice,
            ),
            Answer::Beats { document, .. } => (
                document.beats.iter().map(|beat| beat.class).collect(),
                document.prediction,
                document.model,
                document.notice,
            ),
        };
    Ok(Json(Predictions {
        predictions,
        prediction,
        model,
        notice,
    }))
}
