//! `/v1/recordings`: recordings that are kept for looking at.

use super::App;
use super::blocking;
use super::body::{Path, Query};
use super::caller::Caller;
use super::predictions::labels::labels_of;
use super::problem::Problem;
use super::upload::Upload;
use crate::input::Answer;
use crate::journaling::Here;
use crate::recordings::{Kept, Points};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Points one answer holds at most: more than any screen is wide.
const MOST_POINTS: usize = 20_000;

pub(crate) async fn create_recording(
    State(app): State<Arc<App>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let upload = Upload::receive(&app, request).await?;
    let here = caller.here(&app);
    let answer = upload.answer(&app, &caller).await?;
    keep(&app, answer, here).await
}

/// Keeps an answer about a person and says where; rows are answered at once, since there is no trace to look at.
pub(crate) async fn keep(app: &Arc<App>, answer: Answer, here: Option<Arc<Here>>) -> Result<Response, Problem> {
    match answer {
        Answer::Rows(document) => Ok(Json(document).into_response()),
        Answer::Beats {
            recording, document, ..
        } => {
            let inner = Arc::clone(app);
            let kept = blocking(Arc::clone(&app.cores), move || {
                let subject = here.as_ref().map(|here| here.subject());
                let kept = inner.recordings.keep(&recording, *document, subject);
                kept.map_err(|cause| {
                    tracing::error!(%cause, "a recording could not be kept");
                    Problem::new(
                        StatusCode::INSUFFICIENT_STORAGE,
                        "no_room",
                        "the recording could not be kept in the data folder; the server's log says why",
                    )
                })
            })
            .await?;
            let location = [(header::LOCATION, format!("/v1/recordings/{}", kept.id))];
            Ok((StatusCode::CREATED, location, json(&kept)).into_response())
        }
    }
}

fn json(kept: &Kept) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], kept.json.clone()).into_response()
}

/// A recording of that id; as good as absent for who may not use the model that found its beats.
fn find(app: &App, caller: &Caller, id: &str) -> Result<Arc<Kept>, Problem> {
    app.recordings
        .get(id)
        .filter(|kept| caller.uses(&kept.document.model.name))
        .ok_or_else(|| Problem::not_found("recording of that id; it may have made room for newer ones"))
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct RecordingList {
    items: Vec<RecordingItem>,
    next: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct RecordingItem {
    id: String,
    name: String,
    format: String,
    duration_s: f64,
    created: String,
    lead: String,
    beats: usize,
}

pub(crate) async fn list_recordings(State(app): State<Arc<App>>, caller: Caller) -> Json<RecordingList> {
    let items = app
        .recordings
        .list()
        .iter()
        .filter(|kept| caller.uses(&kept.document.model.name))
        .map(|kept| RecordingItem {
            id: kept.id.clone(),
            name: kept.document.recording.name.clone(),
            format: kept.document.recording.format.to_string(),
            duration_s: kept.document.recording.duration_s,
            created: kept.created.to_string(),
            lead: kept.document.lead.clone(),
            beats: kept.document.beats.len(),
        })
        .collect();
    Json(RecordingList { items, next: None })
}

pub(crate) async fn get_recording(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    Ok(json(&*find(&app, &caller, &id)?))
}

pub(crate) async fn delete_recording(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    find(&app, &caller, &id)?;
    app.recordings.forget(&id);
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Span {
    /// By its name; the one that was classified unless given.
    pub(super) lead: Option<String>,
    /// Seconds from the start.
    from: Option<f64>,
    /// Seconds from the start; the end unless given.
    to: Option<f64>,
    /// Points of the answer at most, up to 20,000.
    points: Option<usize>,
}

impl Span {
    /// From, to, and points at most.
    pub(super) fn cut(&self, duration_s: f64) -> Result<((f64, f64), usize), Problem> {
        let (from, to) = (self.from.unwrap_or(0.0), self.to.unwrap_or(duration_s));
        let points = self.points.unwrap_or(2_000);
        if !from.is_finite() || !to.is_finite() || from > to || !(1..=MOST_POINTS).contains(&points) {
            let detail =
                format!("`from` must not lie after `to` (both in seconds), and `points` must be 1 to {MOST_POINTS}");
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_field", detail).at("from"));
        }
        Ok(((from, to), points))
    }
}

/// That a recording has no such lead.
pub(super) fn no_such_lead(name: &str, there: &[&str]) -> Problem {
    let detail = format!("the recording has no lead `{name}`; it has: {}", there.join(", "));
    Problem::new(StatusCode::NOT_FOUND, "no_such_lead", detail).at("lead")
}

pub(crate) async fn get_signal(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(span): Query<Span>,
) -> Result<Json<Points>, Problem> {
    let kept = find(&app, &caller, &id)?;
    let wanted = span.cut(kept.document.recording.duration_s);
    let name = span.lead.unwrap_or_else(|| kept.document.lead.clone());
    let place = kept
        .signals
        .iter()
        .position(|signal| signal.lead == name)
        .ok_or_else(|| {
            let there: Vec<_> = kept.signals.iter().map(|signal| signal.lead.as_str()).collect();
            no_such_lead(&name, &there)
        })?;
    let ((from, to), points) = wanted?;
    let read = move || {
        kept.signals[place]
            .points(from, to, points)
            .map_err(|cause| Problem::internal(&cause))
    };
    tokio::task::spawn_blocking(read)
        .await
        .map_err(Problem::from)?
        .map(Json)
}

pub(crate) async fn get_annotations(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let kept = find(&app, &caller, &id)?;
    let bytes = einthoven_ecg::annotation::encode(&einthoven_classify::annotations(&kept.document))
        .map_err(|cause| Problem::internal(&cause))?;
    Ok((file(&kept, "application/octet-stream", "ein"), bytes).into_response())
}

/// The result for systems of hospitals, with what readers say about it for who may read that.
pub(crate) async fn get_fhir(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let kept = find(&app, &caller, &id)?;
    let labels = match &kept.document.prediction {
        Some(prediction) => labels_of(&app, &caller, &kept.document.model.name, prediction).await?,
        None => Vec::new(),
    };
    let written = blocking(Arc::clone(&app.cores), move || {
        let issued = kept.created.to_string();
        let bundle = serde_json::to_vec(&einthoven_classify::fhir(&kept.document, &issued, &labels));
        let bundle = bundle.map_err(|cause| Problem::internal(&cause))?;
        Ok((
            file(&kept, "application/fhir+json; fhirVersion=4.0", "fhir.json"),
            bundle,
        ))
    });
    written.await.map(IntoResponse::into_response)
}

/// Headers of a file that is named as the recording is.
fn file(kept: &Kept, kind: &str, ending: &str) -> [(header::HeaderName, String); 2] {
    let safe = |c: char| {
        let plain = c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if plain { c } else { '_' }
    };
    let name: String = kept.document.recording.name.chars().map(safe).collect();
    let named = format!("attachment; filename=\"{name}.{ending}\"");
    [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, named),
    ]
}
