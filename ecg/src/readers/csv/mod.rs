//! Tables of text: CSV and its relatives as people have them.

mod columns;
mod head;
mod kaggle;
mod number;
mod table;
mod time;

use super::error::{ReadError, shown};
use super::files::stem_and_extension;
use super::{Hints, Input, Limits, NamedFile, Reading, Unit, agree_on_rate, agree_on_unit};
use crate::recording::{Flag, Lead, Recording, StandardLead};
use columns::Role;

/// Reads one text file.
pub(super) fn read(file: &NamedFile<'_>, hints: &Hints, limits: &Limits) -> Result<Reading, ReadError> {
    let bytes = file.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file.bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ReadError::EmptyFile { file: shown(file.name) });
    }
    let input = if kaggle::looks_like(bytes) {
        Input::BeatRows(kaggle::read(file.name, bytes, limits)?)
    } else {
        Input::Recording(read_table(file.name, bytes, hints, limits)?)
    };
    Ok(Reading {
        input,
        annotations: None,
    })
}

fn read_table(name: &str, bytes: &[u8], hints: &Hints, limits: &Limits) -> Result<Recording, ReadError> {
    let head = head::read(name, bytes)?;
    let (columns, mut flags) = columns::assign(name, &head, limits)?;
    let unit_of = |column: &columns::Column| column.unit.or(head.unit);

    // What must be known is asked for before the samples are read.
    let known = columns
        .iter()
        .filter(|column| column.role == Role::Lead && unit_of(column).is_some())
        .count();
    if known == 0 && hints.unit.is_none() {
        return Err(ReadError::MissingField {
            file: shown(name),
            field: "unit",
            what: match head.rate_hz.or(hints.sampling_rate_hz) {
                None if !columns.iter().any(|column| column.role == Role::Time) => {
                    "the file says neither the unit of its samples nor their sampling rate".to_owned()
                }
                _ => "the file does not say which unit its samples are in".to_owned(),
            },
        });
    }
    let mut units = Vec::new();
    let mut roles = Vec::new();
    let mut names = Vec::new();
    for column in &columns {
        let mut role = column.role;
        if role == Role::Lead {
            let unit = match (unit_of(column), hints.unit) {
                (Some(unit), _) => {
                    agree_on_unit(name, unit, hints)?;
                    Some(unit)
                }
                (None, stated) => stated,
            };
            match unit {
                Some(unit) => {
                    units.push(unit);
                    names.push(column.name.clone());
                }
                None => {
                    flags.push(columns::dropped(&column.name, "it has no unit and others do"));
                    role = Role::Skip;
                }
            }
        }
        roles.push(role);
    }
    let timed = roles.contains(&Role::Time);
    let stated_rate = head.rate_hz.or(hints.sampling_rate_hz);
    if stated_rate.is_none() && !timed {
        return Err(missing_rate(
            name,
            "the file has neither a sampling rate nor a time column",
        ));
    }

    let factors: Vec<f64> = units.iter().map(|unit| unit.millivolts()).collect();
    let table = table::read(name, bytes, &head, &roles, &factors, limits)?;
    let sampling_rate_hz = match head.rate_hz {
        Some(rate) => rate,
        None if timed => match time::rate(name, &head, &columns, &table.times, &mut flags) {
            Ok(rate) => rate,
            // A time column that does not say its unit is no obstacle to somebody who states the rate.
            Err(ReadError::MissingField { .. }) if hints.sampling_rate_hz.is_some() => {
                hints.sampling_rate_hz.unwrap_or_default()
            }
            Err(error) => return Err(error),
        },
        None => hints.sampling_rate_hz.unwrap_or_default(),
    };
    if !(sampling_rate_hz.is_finite() && sampling_rate_hz > 0.0) {
        return Err(missing_rate(
            name,
            "the sampling rate in the file is not a number above zero",
        ));
    }
    agree_on_rate(name, sampling_rate_hz, hints)?;
    let leads = leads(names, table.leads, &mut flags);
    if leads.is_empty() {
        return Err(ReadError::NoEcgLead {
            file: shown(name),
            signals: "every column is empty or not a number".to_owned(),
        });
    }
    Ok(Recording {
        name: stem_and_extension(name).0.to_owned(),
        format: head.format.into(),
        sampling_rate_hz,
        leads,
        flags,
    })
}

/// The columns that hold at least one number.
fn leads(names: Vec<String>, samples: Vec<Vec<f32>>, flags: &mut Vec<Flag>) -> Vec<Lead> {
    let mut leads = Vec::new();
    for (name, samples_mv) in names.into_iter().zip(samples) {
        if samples_mv.iter().all(|sample| sample.is_nan()) {
            // Exports of fewer leads than there is room for leave columns empty; that is nothing to report.
            continue;
        }
        let standard = StandardLead::from_name(&name);
        if standard.is_none() {
            flags.push(Flag::lead_name_unknown(&name));
        }
        leads.push(Lead {
            name,
            standard,
            samples_mv,
            rails_mv: None,
        });
    }
    leads
}

fn missing_rate(file: &str, what: &str) -> ReadError {
    ReadError::MissingField {
        file: shown(file),
        field: "sampling_rate",
        what: what.to_owned(),
    }
}

/// A voltage unit in brackets, parentheses or bare.
fn unit_name(text: &str) -> Option<Unit> {
    Unit::from_name(text.trim_matches(['(', ')', '[', ']', ' ', '\'', '"']))
}
