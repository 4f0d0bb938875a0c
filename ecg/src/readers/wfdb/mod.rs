//! WFDB records: a header that says how samples lie in signal files.
//!
//! Written from the WFDB Applications Guide (header(5), signal(5)) and held against the reference implementation's output.
//! One file per step: [`header`] text to fields, [`decode`] bytes to converter values, [`record`] one segment to leads,
//! [`segments`] several segments to one record.

mod decode;
mod flac;
mod header;
mod record;
mod segments;

use super::{Hints, Limits, NamedFile, ReadError};
use crate::recording::Recording;
use header::Header;
use std::collections::BTreeSet;

/// Reads the record that the files make up.
pub(super) fn read(files: &[NamedFile<'_>], hints: &Hints, limits: &Limits) -> Result<Recording, ReadError> {
    let mut headers = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.base().to_ascii_lowercase().ends_with(".hea"))
    {
        headers.push((file.stem(), Header::parse(file.base(), file.bytes, limits)?));
    }
    let segments: BTreeSet<&str> = headers
        .iter()
        .flat_map(|(_, header)| &header.segments)
        .map(|segment| segment.name.as_str())
        .collect();
    let top: Vec<_> = headers
        .iter()
        .filter(|(stem, _)| match &hints.record {
            Some(record) => stem == record,
            None => !segments.contains(stem),
        })
        .collect();
    let (name, header) = match top.as_slice() {
        [one] => one,
        [] => {
            return Err(ReadError::NoSuchRecord {
                asked: hints.record.clone().unwrap_or_default(),
                there: headers.iter().map(|(stem, _)| (*stem).to_owned()).collect(),
            });
        }
        several => {
            return Err(ReadError::SeveralRecordings {
                names: several.iter().map(|(stem, _)| (*stem).to_owned()).collect(),
            });
        }
    };
    let rate = agreed_rate(name, header, hints)?;
    let mut recording = if header.segments.is_empty() {
        record::read(name, header, files, limits)?
    } else {
        segments::read(name, header, &headers, files, limits)?
    };
    recording.sampling_rate_hz = rate * f64::from(recording_frames(header));
    if header.rate_hz.is_none() && hints.sampling_rate_hz.is_none() {
        recording.flags.push(crate::recording::Flag {
            code: "rate_from_specification",
            detail: format!(
                "the header of `{name}` gives no sampling frequency; the WFDB specification then says 250 Hz"
            ),
        });
    }
    Ok(recording)
}

/// Samples per frame that the leads are kept at.
fn recording_frames(header: &Header) -> u32 {
    header
        .signals
        .iter()
        .filter(|signal| signal.is_voltage())
        .map(|signal| signal.per_frame)
        .max()
        .unwrap_or(1)
}

/// The frame rate: the header's, or the specification's, and never against what the caller says.
fn agreed_rate(name: &str, header: &Header, hints: &Hints) -> Result<f64, ReadError> {
    match (header.rate_hz, hints.sampling_rate_hz) {
        (Some(rate), Some(stated)) if (rate * f64::from(recording_frames(header)) / stated - 1.0).abs() > 1e-3 => {
            Err(ReadError::Contradiction {
                name: name.to_owned(),
                what: "sampling rate",
                field: "sampling_rate",
                in_file: format!("{} Hz", rate * f64::from(recording_frames(header))),
                stated: format!("{stated} Hz"),
            })
        }
        (Some(rate), _) => Ok(rate),
        (None, Some(stated)) => Ok(stated / f64::from(recording_frames(header))),
        (None, None) => Ok(250.0),
    }
}
