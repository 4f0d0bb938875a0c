//! What each column of a table is: a lead, the time, a count, or something that is left out.

use super::head::Head;
use super::unit_name;
use crate::readers::error::{ReadError, shown};
use crate::readers::{Limits, Unit};
use crate::recording::{Flag, StandardLead};

/// What a column is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Skip,
    Time,
    Lead,
}

/// One column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) role: Role,
    pub(super) name: String,
    /// The unit of a lead, where the column says so.
    pub(super) unit: Option<Unit>,
    /// The unit of a time column in seconds, where the column says so.
    pub(super) seconds: Option<f64>,
}

/// Gives every column its role.
pub(super) fn assign(file: &str, head: &Head, limits: &Limits) -> Result<(Vec<Column>, Vec<Flag>), ReadError> {
    let mut flags = Vec::new();
    let mut columns = Vec::new();
    let single = head.numeric.len() == 1;
    for (index, numeric) in head.numeric.iter().enumerate() {
        let title = head
            .names
            .as_ref()
            .and_then(|names| names.get(index))
            .map_or("", String::as_str);
        let unit_cell = head
            .units
            .as_ref()
            .and_then(|units| units.get(index))
            .map_or("", String::as_str);
        let mut column = from_title(title, unit_cell, &mut flags);
        if column.name.is_empty() {
            column.name = match &head.lead {
                Some(lead) if single => lead.clone(),
                _ => format!("column {}", index + 1),
            };
            if index == 0 && head.names.is_some() && !single {
                // Spreadsheets and data frames write their row numbers under an empty title.
                column.role = Role::Skip;
            }
        }
        if !numeric && column.role == Role::Lead {
            flags.push(dropped(&column.name, "it is no column of numbers"));
            column.role = Role::Skip;
        }
        columns.push(column);
    }
    if head.names.is_none() && head.counts_first {
        columns[0].role = Role::Time;
    }
    // Only one column can be the time.
    let mut seen = false;
    for column in &mut columns {
        if column.role == Role::Time && std::mem::replace(&mut seen, true) {
            column.role = Role::Skip;
        }
    }
    let leads = columns.iter().filter(|column| column.role == Role::Lead).count();
    if leads > limits.max_leads {
        return Err(ReadError::TooLarge {
            file: shown(file),
            what: format!("the table has {leads} columns of leads"),
            limit: limits.max_leads as u64,
        });
    }
    if leads == 0 {
        return Err(ReadError::NoEcgLead {
            file: shown(file),
            signals: "its columns are times, counts or other signals".to_owned(),
        });
    }
    Ok((columns, flags))
}

/// Reads `II (mV)`, `II [mV]`, `II_mV`, `time [ms]` and the like.
fn from_title(title: &str, unit_cell: &str, flags: &mut Vec<Flag>) -> Column {
    let title = title.trim();
    let (name, unit_text) = split_unit(title);
    let unit_text = if unit_text.is_empty() {
        unit_cell.trim_matches(['(', ')', '[', ']', ' '])
    } else {
        unit_text
    };
    let name: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
    let lower = name.to_lowercase();
    let mut column = Column {
        role: Role::Lead,
        unit: unit_name(unit_text),
        seconds: None,
        name,
    };
    let counts = [
        "sample",
        "sample #",
        "sample number",
        "samples",
        "index",
        "idx",
        "point",
        "n",
        "no",
        "nr",
        "#",
        "nseq",
        "frame",
        "row",
        "unnamed: 0",
    ];
    if counts.contains(&lower.as_str()) {
        column.role = Role::Skip;
    } else if is_time(&lower) {
        column.role = Role::Time;
        column.seconds = seconds_in(unit_text).or_else(|| seconds_in(&lower));
    } else if column.unit.is_none() && !unit_text.is_empty() && StandardLead::from_name(&column.name).is_none() {
        flags.push(dropped(&column.name, &format!("its unit is {}", shown(unit_text))));
        column.role = Role::Skip;
    } else if [
        "label",
        "annotation",
        "class",
        "beat",
        "quality",
        "resp",
        "pleth",
        "ppg",
        "abp",
        "spo2",
    ]
    .contains(&lower.as_str())
    {
        flags.push(dropped(&column.name, "its name says it is no ECG"));
        column.role = Role::Skip;
    }
    column
}

fn split_unit(title: &str) -> (&str, &str) {
    for (open, close) in [('(', ')'), ('[', ']')] {
        if let Some(inner) = title.strip_suffix(close)
            && let Some((name, unit)) = inner.rsplit_once(open)
        {
            return (name.trim(), unit.trim());
        }
    }
    for mark in ['_', '/', ' '] {
        if let Some((name, unit)) = title.rsplit_once(mark)
            && !name.trim().is_empty()
            && (seconds_in(unit).is_some() && is_time(&name.to_lowercase())
                || Unit::from_name(unit).is_some_and(|unit| unit != Unit::Volt))
        {
            return (name.trim(), unit);
        }
    }
    (title, "")
}

fn is_time(lower: &str) -> bool {
    matches!(
        lower,
        "t" | "zeit" | "temps" | "tiempo" | "tempo" | "seconds" | "sec" | "secs" | "ms" | "s" | "date"
    ) || lower.contains("time")
}

/// Seconds in one unit of time.
fn seconds_in(unit: &str) -> Option<f64> {
    Some(match unit.to_lowercase().as_str() {
        "s" | "sec" | "secs" | "second" | "seconds" | "hh:mm:ss.mmm" | "hh:mm:ss" => 1.0,
        "ms" | "msec" | "milliseconds" => 1e-3,
        "us" | "usec" | "microseconds" | "\u{b5}s" | "\u{3bc}s" => 1e-6,
        "min" | "minutes" => 60.0,
        _ => return None,
    })
}

/// The flag of a column that is not read as a lead.
pub(super) fn dropped(name: &str, why: &str) -> Flag {
    Flag {
        code: "signal_left_out".into(),
        detail: format!("Column \"{}\" was left out: {why}.", shown(name)),
    }
}
