//! A recording as it is kept: the files as they came, and what the request said about them.
//!
//! A line of JSON says names, sizes and wishes; the files' bytes follow. All of it is encrypted together, because file names
//! may name people.

use crate::input::Request;
use einthoven_ecg::readers::{Hints, Unit};
use einthoven_journal::{Entry, Journal, JournalError};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The entry's parameter that names the kept bundle by its SHA-256.
pub(super) const PARAMETER: &str = "recording";

#[derive(Serialize, Deserialize)]
struct Head {
    files: Vec<File>,
    rate: Option<f64>,
    unit: Option<String>,
    record: Option<String>,
    lead: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct File {
    name: String,
    bytes: usize,
}

/// Files by name, as a reader takes them, and the request they came with.
pub(crate) type Opened = (Vec<(String, Cow<'static, [u8]>)>, Request);

pub(super) fn packed(files: &[(String, Cow<'static, [u8]>)], request: &Request) -> Vec<u8> {
    let each = |(name, bytes): &(String, Cow<'static, [u8]>)| File {
        name: name.clone(),
        bytes: bytes.len(),
    };
    let head = Head {
        files: files.iter().map(each).collect(),
        rate: request.hints.sampling_rate_hz,
        unit: request.hints.unit.map(|unit| unit.name().to_owned()),
        record: request.hints.record.clone(),
        lead: request.lead.clone(),
    };
    let mut packed = serde_json::to_vec(&head).unwrap_or_default();
    packed.push(b'\n');
    for (_, bytes) in files {
        packed.extend_from_slice(bytes);
    }
    packed
}

fn unpacked(bundle: &[u8]) -> Option<Opened> {
    let end = bundle.iter().position(|byte| *byte == b'\n')?;
    let (head, mut rest) = (bundle.get(..end)?, bundle.get(end + 1..)?);
    let head: Head = serde_json::from_slice(head).ok()?;
    let mut files = Vec::with_capacity(head.files.len());
    for file in head.files {
        let (bytes, after) = rest.split_at_checked(file.bytes)?;
        files.push((file.name, Cow::Owned(bytes.to_vec())));
        rest = after;
    }
    let request = Request {
        hints: Hints {
            sampling_rate_hz: head.rate,
            unit: head.unit.as_deref().and_then(Unit::from_name),
            record: head.record,
        },
        lead: head.lead,
        ..Request::default()
    };
    Some((files, request))
}

/// Whether the recording of an entry is kept.
pub(crate) fn is_kept(journal: &Journal, entry: &Entry) -> bool {
    let digest = entry.parameters.get(PARAMETER);
    digest.is_some_and(|digest| journal.recordings().has(entry.subject.as_deref(), digest))
}

/// The kept recording of an entry.
pub(crate) fn opened(journal: &Journal, entry: &Entry) -> Result<Opened, JournalError> {
    let gone = || JournalError::NotKept {
        digest: entry.digests.input.clone(),
    };
    let digest = entry.parameters.get(PARAMETER).ok_or_else(gone)?;
    let bundle = journal.recordings().get(entry.subject.as_deref(), digest)?;
    unpacked(&bundle).ok_or_else(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_out_again_and_what_is_cut_does_not() {
        let files = vec![
            ("a b.hea".to_owned(), Cow::Borrowed(b"one\ntwo".as_slice())),
            ("\u{e9}.dat".to_owned(), Cow::Borrowed([0_u8, 10, 255].as_slice())),
        ];
        let request = Request {
            hints: Hints {
                sampling_rate_hz: Some(257.5),
                unit: Unit::from_name("uV"),
                record: Some("a".to_owned()),
            },
            lead: Some("II".to_owned()),
            ..Request::default()
        };
        let packed = packed(&files, &request);
        let (again, asked) = unpacked(&packed).unwrap();
        assert_eq!(again, files);
        assert_eq!(asked.hints.sampling_rate_hz, Some(257.5));
        assert_eq!(asked.hints.unit.map(Unit::name), Some("uV"));
        assert_eq!(
            (asked.hints.record.as_deref(), asked.lead.as_deref()),
            (Some("a"), Some("II"))
        );
        for end in 0..packed.len() {
            assert!(unpacked(&packed[..end]).is_none(), "{end}");
        }
    }
}
