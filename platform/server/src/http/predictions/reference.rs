//! Labels from a file of reference beats, as WFDB has them.

use super::super::App;
use super::super::body::Query;
use super::super::problem::Problem;
use super::super::upload::whole;
use axum::extract::{FromRequestParts, Request};
use axum::http::StatusCode;
use einthoven_ecg::annotation::{Mapping, at_rate, decode, time_resolution};
use einthoven_journal::Entry;
use einthoven_journal::labels::{Label, Source, Truth, from_reference};
use einthoven_journal::replay::digest;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// Bytes of a file of annotations: a day has about 100,000 beats of two to a few bytes.
const LONGEST: usize = 16 << 20;

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct About {
    /// How codes become classes: `aami-dechazal` or `aami-bxb`; for a file.
    mapping: Option<String>,
    /// Why; for a file.
    why: String,
    /// Whether it decides where readers disagree; for a file.
    adjudication: bool,
}

/// A file, and what is said about it.
pub(super) struct Reference {
    bytes: Vec<u8>,
    /// Held until what it says is written.
    _room: Vec<OwnedSemaphorePermit>,
    mapping: Mapping,
    about: About,
}

/// What the file had to do with the answer.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MatchedBeats")]
pub(crate) struct Matched {
    matched: usize,
    missed: usize,
    not_a_beat: usize,
}

impl Reference {
    pub(super) async fn receive(app: &Arc<App>, request: Request) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let Query(about) = Query::<About>::from_request_parts(&mut parts, &()).await?;
        let mapping = match about.mapping.as_deref() {
            None => Mapping::default(),
            Some(name) => Mapping::from_name(name).ok_or_else(|| {
                let detail = "`mapping` must be aami-dechazal or aami-bxb";
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_field", detail).at("mapping")
            })?,
        };
        let (bytes, room) = whole(app, body, LONGEST).await?;
        Ok(Self {
            bytes,
            _room: room,
            mapping,
            about,
        })
    }

    /// What the file says about a prediction. Its key follows from the file, so that sent twice it is one label.
    pub(super) fn label(&self, reader: &str, entry: &Entry) -> Result<(Label, Matched), Problem> {
        let wrong = |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_annotations", detail);
        let mut annotations =
            decode(&self.bytes).map_err(|cause| wrong(format!("the body is no file of MIT annotations: {cause}")))?;
        if let (Some(own), Some(rate)) = (time_resolution(&annotations), entry.sampling_rate_hz) {
            annotations = at_rate(annotations, own, rate);
        }
        // A reference of the whole record says nothing about what lies after the part that was sent.
        let samples = entry.quality.figures.get("samples").copied().unwrap_or(f64::INFINITY);
        let beats: Vec<(u64, String)> = annotations
            .iter()
            .filter(|annotation| (annotation.sample as f64) < samples)
            .filter_map(|annotation| {
                let class = self.mapping.class(annotation.code)?;
                Some((annotation.sample, class.letter().to_string()))
            })
            .collect();
        if beats.is_empty() {
            return Err(wrong("the file marks no beat within this recording".to_owned()));
        }
        let marks = from_reference(entry, &beats)?;
        let count = |wanted: fn(&Truth) -> bool| marks.iter().filter(|mark| wanted(&mark.truth)).count();
        let matched = Matched {
            matched: count(|truth| matches!(truth, Truth::Class { .. })),
            missed: count(|truth| matches!(truth, Truth::Missed { .. })),
            not_a_beat: count(|truth| *truth == Truth::NotABeat),
        };
        let content = digest(&[self.bytes.as_slice(), self.mapping.name().as_bytes()].concat());
        let label = Label {
            prediction: entry.id,
            reader: reader.to_owned(),
            at: Timestamp::now(),
            key: format!("reference-{content}"),
            why: self.about.why.clone(),
            source: Source::Reference,
            adjudication: self.about.adjudication,
            marks,
        };
        Ok((label, matched))
    }
}
