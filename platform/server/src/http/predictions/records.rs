//! Kept recordings with their labels, as a tar of WFDB records.

use super::super::App;
use super::super::caller::Caller;
use super::super::problem::Problem;
use super::filter::Wanted;
use super::recorded::recording;
use crate::journaling::is_kept;
use einthoven_ecg::annotation::{Annotation, code, encode};
use einthoven_ecg::wfdb;
use einthoven_journal::export::Splitting;
use einthoven_journal::labels::{Truth, current};
use einthoven_journal::{Entry, Journal, JournalError};
use std::fmt::Display;
use std::io::Write;

/// Writes `train/ID.hea`, `.dat` and `.atr` of every prediction that is wanted, labelled and kept, and whose
/// signal the caller may have; others are left out.
pub(super) fn records(
    app: &App,
    journal: &Journal,
    caller: &Caller,
    wanted: &Wanted,
    out: &mut impl Write,
) -> Result<(), JournalError> {
    let splitting = Splitting::default();
    let mut archive = tar::Builder::new(out);
    for entry in wanted.labelled(journal, caller, None) {
        let entry = match entry {
            Ok(entry) if is_kept(journal, &entry) && caller.reads_signals(&entry.model) => entry,
            Ok(_) | Err(JournalError::Damaged { .. }) => continue,
            Err(cause) => return Err(cause),
        };
        let kept = recording(app, journal, &entry).map_err(|problem: Problem| failed(problem.detail()))?;
        let Some(recording) = kept else { continue };
        let name = entry.id.simple().to_string();
        let record = wfdb::record(&name, &recording);
        let truth = annotations(journal, &entry)?;
        let folder = splitting.of(entry.group()).name();
        let mut add = |ending: &str, bytes: &[u8]| {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            let path = format!("{folder}/{name}.{ending}");
            archive.append_data(&mut header, path, bytes).map_err(failed)
        };
        add("hea", record.header.as_bytes())?;
        add("dat", &record.signal)?;
        add("atr", &truth)?;
    }
    archive.finish().map_err(failed)
}

fn failed(cause: impl Display) -> JournalError {
    JournalError::Export {
        what: cause.to_string(),
    }
}

/// Every beat of which a class holds. A class that WFDB has no code for stands in the beat's text.
fn annotations(journal: &Journal, entry: &Entry) -> Result<Vec<u8>, JournalError> {
    let mut all = vec![Annotation {
        code: code::COMMENT,
        aux: format!("einthoven labels of {}", entry.id).into_bytes(),
        ..Annotation::default()
    }];
    for (sample, held) in current(&journal.labels().of(entry.id)?) {
        let Some(class) = held.truth.as_ref().and_then(Truth::class) else {
            continue;
        };
        let (code, aux) = match class {
            "N" => (code::NORMAL, Vec::new()),
            "S" => (code::SUPRAVENTRICULAR, Vec::new()),
            "V" => (code::PVC, Vec::new()),
            "F" => (code::FUSION, Vec::new()),
            "Q" => (code::UNKNOWN, Vec::new()),
            other => (code::UNKNOWN, other.as_bytes().to_vec()),
        };
        all.push(Annotation {
            sample,
            code,
            aux,
            ..Annotation::default()
        });
    }
    encode(&all).map_err(failed)
}
