//! WFDB records: a `.hea` header, the signal files it names and, beside them, an `.atr` annotation file.
//!
//! Written from the WFDB specification (`header(5)`, `signal(5)`, `annot(5)`). Comment lines, times and dates of a
//! header are not kept: they say who was recorded and when.

mod flac;
mod format;
mod header;
mod leads;
mod record;
mod segment;
mod signal_line;
mod sink;

use super::error::{ReadError, shown, shown_list};
use super::files::{Files, stem_and_extension};
use super::{Hints, Input, Limits, Reading};
use crate::annotation::{self, Annotation};
use crate::recording::Recording;
use header::{Content, Header};
use std::collections::{BTreeMap, HashSet};

/// The headers among the files, by record name.
type Headers = BTreeMap<String, Header>;

/// Reads the one record among the files.
pub(super) fn read(files: &Files<'_>, hints: &Hints, limits: &Limits) -> Result<Reading, ReadError> {
    let names: Vec<&str> = files
        .with_extension("hea")
        .map(|file| stem_and_extension(file.name).0)
        .collect();
    // Only the record that was asked for is read, so that a damaged neighbour does no harm.
    let mut headers = Headers::new();
    let record = match &hints.record {
        Some(record) => {
            let record = header::plain_name("the stated record", 0, record)?;
            let record = record.strip_suffix(".hea").unwrap_or(record);
            if !names.contains(&record) {
                return Err(ReadError::UnknownRecord {
                    record: shown(record),
                    names: shown_list(names.iter().copied()),
                });
            }
            record.to_owned()
        }
        None => {
            for name in &names {
                load(files, &mut headers, name, name)?;
            }
            top_level(&headers)?
        }
    };
    load(files, &mut headers, &record, &record)?;
    if let Some(Header {
        content: Content::Segments(segments),
        file,
        ..
    }) = headers.get(&record)
    {
        let file = file.clone();
        let parts: HashSet<String> = segments.iter().filter_map(|segment| segment.record.clone()).collect();
        for part in parts {
            load(files, &mut headers, &part, &file)?;
        }
    }
    let (recording, frame_rate) = record::read(files, &headers, &record, hints, limits)?;
    let annotations = annotations_beside(files, &record, Some(frame_rate), &recording)?;
    Ok(Reading {
        input: Input::Recording(recording),
        annotations,
    })
}

fn load(files: &Files<'_>, headers: &mut Headers, record: &str, needed_by: &str) -> Result<(), ReadError> {
    if headers.contains_key(record) {
        return Ok(());
    }
    let name = format!("{record}.hea");
    let Some(file) = files.get(&name)? else {
        return Err(ReadError::MissingFile {
            file: shown(&name),
            needed_by: shown(needed_by),
        });
    };
    if file.bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ReadError::EmptyFile { file: shown(&name) });
    }
    headers.insert(record.to_owned(), header::parse(&name, file.bytes)?);
    Ok(())
}

/// The record that is no segment of another.
fn top_level(headers: &Headers) -> Result<String, ReadError> {
    let parts: HashSet<&str> = headers
        .values()
        .filter_map(|header| match &header.content {
            Content::Segments(segments) => Some(segments),
            Content::Signals(_) => None,
        })
        .flatten()
        .filter_map(|segment| segment.record.as_deref())
        .collect();
    let tops: Vec<&str> = headers
        .keys()
        .map(String::as_str)
        .filter(|name| !parts.contains(name))
        .collect();
    match tops.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] => Err(ReadError::Malformed {
            file: shown(headers.keys().next().map_or("", String::as_str)),
            place: "header".to_owned(),
            what: "the headers name each other as segments; segments cannot be nested".to_owned(),
        }),
        many => Err(ReadError::SeveralRecordings {
            count: many.len(),
            names: shown_list(many.iter().copied()),
        }),
    }
}

/// The annotations of `record.atr`, if it is among the files, at the recording's rate.
///
/// Their times count frames (`frame_rate`, or samples where there are no frames) unless the file states a time
/// resolution of its own.
pub(super) fn annotations_beside(
    files: &Files<'_>,
    record: &str,
    frame_rate: Option<f64>,
    recording: &Recording,
) -> Result<Option<Vec<Annotation>>, ReadError> {
    let name = format!("{record}.atr");
    let Some(file) = files.get(&name)? else {
        return Ok(None);
    };
    let annotations = annotation::decode(file.bytes).map_err(|error| ReadError::Malformed {
        file: shown(&name),
        place: format!("byte {}", error.offset()),
        what: error.to_string(),
    })?;
    let own_rate = annotation::time_resolution(&annotations)
        .or(frame_rate)
        .unwrap_or(recording.sampling_rate_hz);
    Ok(Some(annotation::at_rate(
        annotations,
        own_rate,
        recording.sampling_rate_hz,
    )))
}
