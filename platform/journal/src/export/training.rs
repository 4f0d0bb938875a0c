//! Labelled beats for training, recordings kept apart.

use super::column::Kind;
use super::predictions::{integer, widened};
use super::{Column, Format, Value};
use crate::labels::{Truth, compared};
use crate::query::{Entries, readable};
use crate::{Journal, JournalError};
use sha2::{Digest, Sha256};
use std::io::Write;

/// Into which part beats go: all of one person, record or input into the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Splitting {
    /// Other words, other parts.
    pub seed: String,
    /// Share of persons for testing, 0 to 1.
    pub test: f64,
    /// Share of persons for validation, 0 to 1.
    pub validation: f64,
}

/// A part of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Split {
    /// To learn from.
    Train,
    /// To choose by.
    Validation,
    /// To be measured by.
    Test,
}

impl Default for Splitting {
    /// A fifth for testing, a tenth for validation.
    fn default() -> Self {
        Self {
            seed: "einthoven".to_owned(),
            test: 0.2,
            validation: 0.1,
        }
    }
}

impl Splitting {
    /// The part of a person, record or input: always the same, whatever else is exported.
    #[must_use]
    pub fn of(&self, group: &str) -> Split {
        let digest = Sha256::digest(format!("{} {group}", self.seed).as_bytes());
        let place = digest.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        let place = place as f64 / 18_446_744_073_709_551_616.0;
        if place < self.test {
            Split::Test
        } else if place < self.test + self.validation {
            Split::Validation
        } else {
            Split::Train
        }
    }
}

impl Split {
    /// Its name in a table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// Writes every beat of which a truth holds, of these predictions of the journal; `wrong` leaves out those that the model got
/// right. A beat that readers disagree about is left out. Where one recording was answered several times, it is there several
/// times: filter by model and version. Gives the number of rows.
///
/// # Errors
/// [`JournalError::Export`], [`JournalError::Io`].
pub fn training(
    journal: &Journal,
    entries: Entries,
    splitting: &Splitting,
    wrong: bool,
    format: Format,
    out: impl Write + Send,
) -> Result<u64, JournalError> {
    let text = |name: &str| Column::new(name, Kind::Text);
    let columns = vec![
        text("split"),
        text("group"),
        text("subject"),
        text("record"),
        text("input_digest"),
        text("prediction"),
        text("model"),
        text("version"),
        Column::new("sampling_rate_hz", Kind::Real),
        text("lead"),
        Column::new("at", Kind::Integer),
        text("is"),
        text("truth"),
        text("said"),
        Column::new("probability", Kind::Real),
        Column::new("right", Kind::Truth),
        Column::new("readers", Kind::Integer),
        Column::new("adjudicated", Kind::Truth),
    ];
    let mut table = format.begin(columns, out)?;
    let mut rows = 0;
    for entry in readable(entries) {
        let entry = entry?;
        let id = entry.id.to_string();
        for beat in compared(&entry, &journal.labels().of(entry.id)?) {
            if wrong && beat.right() {
                continue;
            }
            table.row(&[
                Value::Text(splitting.of(entry.group()).name()),
                Value::Text(entry.group()),
                Value::text(entry.subject.as_deref()),
                Value::text(entry.record.as_deref()),
                Value::Text(&entry.digests.input),
                Value::Text(&id),
                Value::Text(&entry.model),
                Value::Text(&entry.version),
                Value::real(entry.sampling_rate_hz),
                Value::text(entry.parameters.get("lead").map(String::as_str)),
                integer(beat.at),
                Value::Text(is(&beat.truth)),
                Value::text(beat.truth.class()),
                Value::text(beat.said.as_deref()),
                Value::real(beat.probability.map(widened)),
                Value::Truth(beat.right()),
                integer(beat.readers as u64),
                Value::Truth(beat.adjudicated),
            ])?;
            rows += 1;
        }
    }
    table.finish()?;
    Ok(rows)
}

fn is(truth: &Truth) -> &'static str {
    match truth {
        Truth::Class { .. } => "class",
        Truth::NotABeat => "not_a_beat",
        Truth::Missed { .. } => "missed",
        Truth::Withdrawn => "withdrawn",
    }
}
