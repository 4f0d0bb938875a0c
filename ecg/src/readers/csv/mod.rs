//! Text as people have it: tables of leads, Apple Watch exports, rows of single beats.
//!
//! [`layout`] finds delimiter, decimal sign and header; then one file per kind.

mod apple;
mod kaggle;
mod layout;
mod table;
mod time;

use super::{Hints, Input, Limits, NamedFile, ReadError};
use crate::recording::{Flag, Lead, StandardLead};
use layout::Layout;

/// Reads a text file.
pub(super) fn read(file: &NamedFile<'_>, hints: &Hints, limits: &Limits) -> Result<Input, ReadError> {
    let not_an_ecg = |why: &str| ReadError::NotAnEcg {
        name: file.base().to_owned(),
        why: why.to_owned(),
    };
    let bytes =
        text(file.bytes).ok_or_else(|| not_an_ecg("it is neither text nor a format known by its first bytes"))?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ReadError::EmptyFile {
            name: file.base().to_owned(),
        });
    }
    if let Some(export) = apple::Export::recognise(bytes) {
        return export.read(file, hints, limits).map(Input::Recording);
    }
    let layout = Layout::find(bytes).ok_or_else(|| not_an_ecg("no line of numbers was found in its first lines"))?;
    if kaggle::is_row_width(layout.columns) {
        return kaggle::read(file, bytes, &layout, limits).map(Input::BeatRows);
    }
    table::read(file, bytes, &layout, hints, limits).map(Input::Recording)
}

/// The bytes without a byte-order mark when they are text, judged by their beginning.
pub(super) fn text(bytes: &[u8]) -> Option<&[u8]> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let start = &bytes[..bytes.len().min(4096)];
    let odd = start
        .iter()
        .filter(|byte| **byte < 9 || (14..32).contains(*byte) || **byte == 127)
        .count();
    let high = start.iter().filter(|byte| **byte >= 128).count();
    (odd == 0 && high * 4 <= start.len()).then_some(bytes)
}

/// The file's lines with their numbers from one, ends cut.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    bytes
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .enumerate()
        .map(|(index, line)| (index + 1, line))
}

/// The rate that file and caller agree on.
fn agreed_rate(file: &NamedFile<'_>, in_file: Option<f64>, hints: &Hints) -> Result<f64, ReadError> {
    match (in_file, hints.sampling_rate_hz) {
        (Some(rate), Some(stated)) if (rate / stated - 1.0).abs() > 1e-3 => Err(ReadError::Contradiction {
            name: file.base().to_owned(),
            what: "sampling rate",
            field: "sampling_rate",
            in_file: format!("{rate} Hz"),
            stated: format!("{stated} Hz"),
        }),
        (Some(rate), _) => Ok(rate),
        (None, Some(stated)) => Ok(stated),
        (None, None) => Err(ReadError::missing_rate(file.base())),
    }
}

/// The unit that file and caller agree on.
fn agreed_unit(file: &NamedFile<'_>, in_file: Option<super::Unit>, hints: &Hints) -> Result<super::Unit, ReadError> {
    match (in_file, hints.unit) {
        (Some(unit), Some(stated)) if unit != stated => Err(ReadError::Contradiction {
            name: file.base().to_owned(),
            what: "unit",
            field: "unit",
            in_file: unit.symbol().to_owned(),
            stated: stated.symbol().to_owned(),
        }),
        (Some(unit), _) | (None, Some(unit)) => Ok(unit),
        (None, None) => Err(ReadError::missing_unit(file.base())),
    }
}

fn lead(name: String, samples_mv: Vec<f32>, flags: &mut Vec<Flag>) -> Lead {
    let standard = StandardLead::from_name(&name);
    if standard.is_none() {
        let detail = format!("the name of column `{name}` does not say which lead it is");
        flags.push(Flag {
            code: "lead_name_unknown",
            detail,
        });
    }
    Lead {
        name,
        standard,
        samples_mv,
        rails_mv: None,
    }
}
