//! `GET /v1/misclassified`: beats whose truth is another than what was answered.

use super::super::App;
use super::super::body::Query;
use super::super::caller::Caller;
use super::super::problem::Problem;
use super::filter::Wanted;
use super::reading;
use super::view::{decimal, seconds};
use crate::journaling::is_kept;
use axum::Json;
use axum::extract::State;
use einthoven_journal::labels::{Compared, Truth, compared};
use einthoven_journal::{Cursor, Journal, JournalError};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize, JsonSchema)]
pub(crate) struct MisclassifiedList {
    items: Vec<Misclassified>,
    next: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MisclassifiedBeat")]
pub(crate) struct Misclassified {
    prediction: String,
    at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_s: Option<f64>,
    said: Option<String>,
    probability: Option<f64>,
    truth: Truth,
    readers: usize,
    adjudicated: bool,
    model: String,
    version: String,
    subject: Option<String>,
    record: Option<String>,
    recording_kept: bool,
}

/// A place among misclassified beats: an entry, and how many of its beats were given already.
struct Place {
    entry: Cursor,
    given: usize,
}

pub(crate) async fn list_misclassified(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Json<MisclassifiedList>, Problem> {
    wanted.one_model()?;
    let limit = wanted.limit()?;
    let place = wanted.cursor().map(Place::parse).transpose()?;
    reading(&app, move |journal| page(&journal, &caller, &wanted, place, limit))
        .await
        .map(Json)
}

/// The beats of one prediction that were answered wrongly and that the query wants.
pub(super) fn wrong(wanted: &Wanted, compared: Vec<Compared>) -> impl Iterator<Item = Compared> + '_ {
    compared.into_iter().filter(move |beat| {
        !beat.right()
            && wanted.said.as_ref().is_none_or(|said| beat.said.as_ref() == Some(said))
            && wanted.truth.as_deref().is_none_or(|truth| match &beat.truth {
                Truth::NotABeat => truth == "not_a_beat",
                known => known.class() == Some(truth),
            })
    })
}

fn page(
    journal: &Journal,
    caller: &Caller,
    wanted: &Wanted,
    place: Option<Place>,
    limit: usize,
) -> Result<MisclassifiedList, Problem> {
    let mut items = Vec::new();
    let begun = place.as_ref().map(|place| place.entry);
    let skip = place.map_or(0, |place| place.given);
    let mut entries = wanted.labelled(journal, caller, begun);
    while let Some(entry) = entries.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(JournalError::Damaged { .. }) => continue,
            Err(cause) => return Err(cause.into()),
        };
        let labels = journal.labels().of(entry.id)?;
        // The entry that the last page ended in may have been erased since.
        let given = if entries.again() == begun { skip } else { 0 };
        for (number, beat) in wrong(wanted, compared(&entry, &labels)).enumerate().skip(given) {
            if items.len() == limit {
                let next = entries.again().map(|entry| Place { entry, given: number });
                return Ok(MisclassifiedList {
                    items,
                    next: next.map(|next| next.to_text()),
                });
            }
            items.push(Misclassified {
                prediction: entry.id.to_string(),
                at: beat.at,
                time_s: seconds(beat.at, entry.sampling_rate_hz),
                said: beat.said,
                probability: beat.probability.filter(|value| value.is_finite()).map(decimal),
                truth: beat.truth,
                readers: beat.readers,
                adjudicated: beat.adjudicated,
                model: entry.model.clone(),
                version: entry.version.clone(),
                subject: entry.subject.clone(),
                record: entry.record.clone(),
                recording_kept: is_kept(journal, &entry),
            });
        }
    }
    Ok(MisclassifiedList { items, next: None })
}

impl Place {
    fn parse(text: &str) -> Result<Self, JournalError> {
        let wrong = || JournalError::Cursor {
            given: text.chars().take(64).collect(),
        };
        let (entry, given) = text.rsplit_once('.').ok_or_else(wrong)?;
        Ok(Self {
            entry: entry.parse()?,
            given: given.parse().map_err(|_| wrong())?,
        })
    }

    fn to_text(&self) -> String {
        format!("{}.{}", self.entry, self.given)
    }
}
