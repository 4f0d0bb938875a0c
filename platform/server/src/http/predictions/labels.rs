//! `/v1/predictions/{id}/labels`: what readers say about the beats of one prediction.

use super::super::App;
use super::super::body::{Body, Path};
use super::super::caller::Caller;
use super::super::problem::Problem;
use super::view::{AgreementOut, Held, LabelOut};
use super::{created, find, reading, reference};
use axum::Json;
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use einthoven_auth::Scope;
use einthoven_classify::{ReaderLabel, ReaderMark};
use einthoven_journal::labels::{Agreement, Label, Mark, Source, current, standing};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// What one reader says, beside the beats.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "Labels{M}")]
#[serde(deny_unknown_fields)]
pub(crate) struct Said<M> {
    #[serde(default)]
    why: String,
    #[serde(default)]
    source: Told,
    #[serde(default)]
    adjudication: bool,
    at: Option<Timestamp>,
    pub(super) marks: Vec<M>,
}

/// How it came; what a reference file says comes as a file.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[schemars(rename = "ToldBy")]
#[serde(rename_all = "lowercase")]
pub(crate) enum Told {
    Page,
    #[default]
    Api,
}

impl<M> Said<M> {
    /// The label of a reader about a prediction.
    pub(super) fn label(&self, reader: &str, key: &str, prediction: Uuid, marks: Vec<Mark>) -> Label {
        let now = Timestamp::now();
        Label {
            prediction,
            reader: reader.to_owned(),
            // The last word counts, and a clock that runs ahead must not have it for years.
            at: self.at.map_or(now, |at| at.min(now)),
            key: key.to_owned(),
            why: self.why.clone(),
            source: match self.source {
                Told::Page => Source::Page,
                Told::Api => Source::Api,
            },
            adjudication: self.adjudication,
            marks,
        }
    }
}

/// `Idempotency-Key`, or a new one.
pub(super) fn key(headers: &HeaderMap) -> Result<String, Problem> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(Uuid::now_v7().simple().to_string());
    };
    let key = value.to_str().unwrap_or_default().trim();
    if (1..=200).contains(&key.len()) {
        return Ok(key.to_owned());
    }
    let detail = "Idempotency-Key must be 1 to 200 printable ASCII characters";
    Err(Problem::new(StatusCode::BAD_REQUEST, "bad_header", detail).at("idempotency-key"))
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LabelTaken")]
pub(crate) struct Taken {
    prediction: String,
    reader: String,
    key: String,
    new: usize,
    repeated: usize,
    #[serde(flatten)]
    matched: Option<reference::Matched>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct LabelList {
    items: Vec<LabelOut>,
    next: Option<String>,
    beats: Vec<Held>,
    agreement: AgreementOut,
}

/// Takes marks as JSON, or a file of reference beats.
pub(crate) async fn create_label(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_file = kind.starts_with("application/octet-stream");
    let key = key(request.headers())?;
    let mut prepared = if is_file {
        Prepared::Reference(reference::Reference::receive(&app, request).await?)
    } else {
        let Body(said) = Body::<Said<Mark>>::from_request(request, &()).await?;
        Prepared::Said(said, key)
    };
    let taken = reading(&app, move |journal| {
        let entry = find(&journal, &caller, Scope::Label, &id)?;
        let reader = caller.principal().name();
        let (label, matched) = match &mut prepared {
            Prepared::Said(said, key) => {
                let marks = std::mem::take(&mut said.marks);
                (said.label(reader, key, entry.id, marks), None)
            }
            Prepared::Reference(reference) => {
                let (label, matched) = reference.label(reader, &entry)?;
                (label, Some(matched))
            }
        };
        let key = label.key.clone();
        let given = journal.label(label)?;
        Ok(Taken {
            prediction: entry.id.to_string(),
            reader: reader.to_owned(),
            key,
            new: given.new,
            repeated: given.repeated,
            matched,
        })
    })
    .await?;
    Ok((created(taken.new), Json(taken)).into_response())
}

enum Prepared {
    Said(Said<Mark>, String),
    Reference(reference::Reference),
}

pub(crate) async fn list_labels(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<LabelList>, Problem> {
    let list = reading(&app, move |journal| {
        let entry = find(&journal, &caller, Scope::ModelsRead, &id)?;
        let labels = journal.labels().of(entry.id)?;
        let mut agreement = Agreement::default();
        agreement.add(&labels);
        let held = current(&labels).into_iter();
        Ok(LabelList {
            beats: held
                .map(|(at, held)| Held::at(at, entry.sampling_rate_hz, held))
                .collect(),
            items: labels.into_iter().map(LabelOut::from).collect(),
            next: None,
            agreement: AgreementOut::from(&agreement),
        })
    });
    list.await.map(Json)
}

/// What readers say about a prediction of this model, as far as it still counts; nothing for who may not read labels.
pub(crate) async fn labels_of(
    app: &Arc<App>,
    caller: &Caller,
    model: &str,
    prediction: &str,
) -> Result<Vec<ReaderLabel>, Problem> {
    let Ok(prediction) = prediction.parse::<Uuid>() else {
        return Ok(Vec::new());
    };
    if !caller.sees(model) {
        return Ok(Vec::new());
    }
    let labels = reading(app, move |journal| Ok(standing(&journal.labels().of(prediction)?)));
    Ok(labels.await?.into_iter().map(as_read).collect())
}

fn as_read(label: Label) -> ReaderLabel {
    let marks = label.marks.into_iter().map(|mark| ReaderMark {
        sample: mark.at,
        class: mark.truth.class().map(str::to_owned),
        said: mark.truth.to_string(),
    });
    ReaderLabel {
        reader: label.reader,
        at: label.at.to_string(),
        key: label.key,
        adjudication: label.adjudication,
        why: label.why,
        marks: marks.collect(),
    }
}
