//! `GET /v1/predictions/{id}/signal`: the trace that an answer was about, where its recording is kept.

use super::super::App;
use super::super::body::{Path, Query};
use super::super::caller::Caller;
use super::super::problem::Problem;
use super::super::recordings::{Span, no_such_lead};
use super::recorded::{lead_named, recording};
use super::{find, reading};
use crate::recordings::Points;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use einthoven_auth::Scope;
use std::sync::Arc;

/// For who labels the model's answers. A lead is named as the entry names it, or as the file does.
pub(crate) async fn get_prediction_signal(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(span): Query<Span>,
) -> Result<Json<Points>, Problem> {
    let inner = Arc::clone(&app);
    let read = reading(&app, move |journal| {
        let entry = find(&journal, &caller, Scope::Label, &id)?;
        let Some(recording) = recording(&inner, &journal, &entry)? else {
            let detail = "the prediction is about rows, of which there is no trace";
            return Err(Problem::new(StatusCode::NOT_FOUND, "no_such_lead", detail).at("lead"));
        };
        let rate = recording.sampling_rate_hz;
        let (cut, points) = span.cut(recording.len() as f64 / rate)?;
        let named = span.lead.as_ref().or_else(|| entry.parameters.get("lead"));
        let named = named.map_or("", String::as_str);
        let lead = lead_named(&recording, named).ok_or_else(|| {
            let there: Vec<_> = recording.leads.iter().map(|lead| lead.name.as_str()).collect();
            no_such_lead(named, &there)
        })?;
        Ok(Points::of_samples((named, &lead.samples_mv), rate, cut, points))
    });
    read.await.map(Json)
}
