//! The recording of a prediction, where it is kept.

use super::super::App;
use super::super::problem::Problem;
use crate::input::read;
use crate::journaling::opened;
use einthoven_ecg::readers::Input;
use einthoven_ecg::recording::{Lead, Recording};
use einthoven_journal::{Entry, Journal};
use schemars::JsonSchema;
use serde::Serialize;

/// A prediction whose recording should be there and is not, and why.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LeftOutPrediction")]
pub(crate) struct LeftOut {
    prediction: String,
    why: String,
}

impl LeftOut {
    pub(super) fn of(entry: &Entry, problem: &Problem) -> Self {
        tracing::warn!(
            "the kept recording of {} cannot be read: {}",
            entry.id,
            problem.detail()
        );
        let why = match problem.code() {
            "internal" => "its kept recording cannot be opened; the server's log says why",
            _ => problem.detail(),
        };
        Self {
            prediction: entry.id.to_string(),
            why: why.to_owned(),
        }
    }
}

/// Reads the kept recording again; none where it is not one, but rows. Blocks.
pub(super) fn recording(app: &App, journal: &Journal, entry: &Entry) -> Result<Option<Recording>, Problem> {
    let (files, request) = opened(journal, entry)?;
    match read(files, &request, &app.plugins.readers)?.input {
        Input::Recording(recording) => Ok(Some(recording)),
        Input::BeatRows(_) => Ok(None),
    }
}

/// The lead that was classified.
pub(super) fn lead<'a>(recording: &'a Recording, entry: &Entry) -> Option<&'a Lead> {
    lead_named(recording, entry.parameters.get("lead")?)
}

/// A lead by its name, or as entries name one whose name says nothing: `lead 2`.
pub(super) fn lead_named<'a>(recording: &'a Recording, named: &str) -> Option<&'a Lead> {
    let by_place = named
        .strip_prefix("lead ")
        .and_then(|place| place.parse::<usize>().ok());
    let by_name = recording.leads.iter().find(|lead| lead.name == named);
    by_name.or_else(|| recording.leads.get(by_place?.checked_sub(1)?))
}
