//! What was answered, one row for each beat, with the truth where it is known.

use super::column::Kind;
use super::{Column, Format, Value, failed};
use crate::labels::{Truth, current};
use crate::query::{Entries, readable};
use crate::{Entry, Journal, JournalError};
use std::io::Write;

/// Classes that have a column of their own.
pub(super) const MOST_CLASSES: usize = 64;

/// Writes every beat of these predictions of the journal, in their order; missed beats have rows with no class. Gives
/// the number of rows. Damaged entries are passed over.
///
/// # Errors
/// [`JournalError::Export`], [`JournalError::Io`].
pub fn predictions(
    journal: &Journal,
    entries: Entries,
    format: Format,
    out: impl Write + Send,
) -> Result<u64, JournalError> {
    let classes = classes(journal)?;
    let text = |name: &str| Column::new(name, Kind::Text);
    let mut columns = vec![
        text("prediction"),
        Column::new("time", Kind::Time),
        text("model"),
        text("version"),
        text("model_digest"),
        text("input_digest"),
        text("recipe"),
        text("engine"),
        text("device"),
        text("experiment"),
        text("arm"),
        text("subject"),
        text("record"),
        Column::new("sampling_rate_hz", Kind::Real),
        Column::new("at", Kind::Integer),
        text("class"),
        Column::new("probability", Kind::Real),
        text("truth"),
        Column::new("readers", Kind::Integer),
    ];
    columns.extend(
        classes
            .iter()
            .map(|class| Column::new(format!("p_{class}"), Kind::Real)),
    );
    let width = columns.len();
    let mut table = format.begin(columns, out)?;
    let mut rows = 0;
    for entry in readable(entries) {
        let entry = entry?;
        let id = entry.id.to_string();
        let mut truths = current(&journal.labels().of(entry.id)?);
        for beat in entry.beats() {
            let truth = truths.remove(&beat.at);
            let said = truth
                .as_ref()
                .and_then(|truth| truth.truth.as_ref())
                .map(Truth::to_string);
            let mut row = about(&entry, &id, width);
            row.push(integer(beat.at));
            row.push(Value::text(beat.class));
            row.push(Value::real(beat.probability.map(widened)));
            row.push(Value::text(said.as_deref()));
            row.push(readers(truth.as_ref()));
            row.extend(classes.iter().map(|class| {
                let place = entry.labels.iter().position(|label| label == class);
                let value = place.and_then(|place| beat.probabilities.get(place));
                Value::real(value.copied().map(widened))
            }));
            table.row(&row)?;
            rows += 1;
        }
        for (at, truth) in truths {
            let said = truth.truth.as_ref().map(Truth::to_string);
            let mut row = about(&entry, &id, width);
            row.extend([
                integer(at),
                Value::Missing,
                Value::Missing,
                Value::text(said.as_deref()),
            ]);
            row.push(readers(Some(&truth)));
            row.extend(classes.iter().map(|_| Value::Missing));
            table.row(&row)?;
            rows += 1;
        }
    }
    table.finish()?;
    Ok(rows)
}

/// The columns that all rows of an entry share.
fn about<'a>(entry: &'a Entry, id: &'a str, width: usize) -> Vec<Value<'a>> {
    let mut row = Vec::with_capacity(width);
    row.extend([
        Value::Text(id),
        Value::Time(entry.at),
        Value::Text(&entry.model),
        Value::Text(&entry.version),
        Value::Text(&entry.digests.model),
        Value::Text(&entry.digests.input),
        Value::Text(&entry.recipe),
        Value::Text(&entry.engine),
        Value::Text(&entry.device),
        Value::text(entry.arm.as_ref().map(|arm| arm.experiment.as_str())),
        Value::text(entry.arm.as_ref().map(|arm| arm.arm.as_str())),
        Value::text(entry.subject.as_deref()),
        Value::text(entry.record.as_deref()),
        Value::real(entry.sampling_rate_hz),
    ]);
    row
}

fn readers(truth: Option<&crate::labels::Current>) -> Value<'static> {
    let number = truth.map_or(0, |truth| truth.readers.len() + usize::from(truth.adjudicated));
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

pub(super) fn integer(value: u64) -> Value<'static> {
    i64::try_from(value).map_or(Value::Missing, Value::Integer)
}

/// The number that the same decimal digits mean in 64 bits: 0.1 stays 0.1.
pub(super) fn widened(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_else(|_| f64::from(value))
}

pub(super) fn classes(journal: &Journal) -> Result<Vec<String>, JournalError> {
    let classes = journal.classes()?;
    if classes.len() > MOST_CLASSES {
        return Err(failed(format!(
            "the journal knows {} classes, a table can have {MOST_CLASSES}",
            classes.len()
        )));
    }
    Ok(classes)
}
