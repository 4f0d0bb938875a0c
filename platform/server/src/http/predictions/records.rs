//! Kept recordings with their labels, as a tar of WFDB records.

use super::super::App;
use super::super::caller::Caller;
use super::filter::Wanted;
use super::recorded::{LeftOut, recording};
use crate::journaling::is_kept;
use einthoven_ecg::annotation::{Annotation, code, encode};
use einthoven_ecg::wfdb;
use einthoven_journal::export::Splitting;
use einthoven_journal::labels::{Truth, current};
use einthoven_journal::{Entry, Journal, JournalError};
use serde::Serialize;
use std::fmt::Display;
use std::io::Write;

/// What the archive holds, as its last file says it.
#[derive(Default, Serialize)]
struct Manifest {
    records: Vec<Item>,
    /// Labelled, and the recording is not kept, or not for the caller.
    not_kept: usize,
    left_out: Vec<LeftOut>,
}

/// A record of the archive. All of one `group` are in one part.
#[derive(Serialize)]
struct Item {
    /// Its path without ending.
    path: String,
    split: &'static str,
    group: String,
    subject: Option<String>,
    record: Option<String>,
    input_digest: String,
    model: String,
    version: String,
    beats: usize,
}

/// Writes `train/ID.hea`, `.dat` and `.atr` of every prediction that is wanted, labelled and kept, and whose
/// signal the caller may have. The last file, `manifest.json`, says of whom each is, and what is not there and why.
pub(super) fn records(
    app: &App,
    journal: &Journal,
    caller: &Caller,
    wanted: &Wanted,
    out: &mut impl Write,
) -> Result<(), JournalError> {
    let splitting = Splitting::default();
    let mut archive = tar::Builder::new(out);
    let mut manifest = Manifest::default();
    for entry in wanted.labelled(journal, caller, None) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(JournalError::Damaged { .. }) => continue,
            Err(cause) => return Err(cause),
        };
        if !is_kept(journal, &entry) || !caller.reads_signals(&entry.model) {
            manifest.not_kept += 1;
            continue;
        }
        let recording = match recording(app, journal, &entry) {
            Ok(Some(recording)) => recording,
            // Rows are no record.
            Ok(None) => continue,
            Err(problem) => {
                manifest.left_out.push(LeftOut::of(&entry, &problem));
                continue;
            }
        };
        let name = entry.id.simple().to_string();
        let record = wfdb::record(&name, &recording);
        let truth = annotations(journal, &entry)?;
        let split = splitting.of(entry.group()).name();
        add(&mut archive, &format!("{split}/{name}.hea"), record.header.as_bytes())?;
        add(&mut archive, &format!("{split}/{name}.dat"), &record.signal)?;
        add(
            &mut archive,
            &format!("{split}/{name}.atr"),
            &encode(&truth).map_err(failed)?,
        )?;
        manifest.records.push(Item {
            path: format!("{split}/{name}"),
            split,
            group: entry.group().to_owned(),
            subject: entry.subject,
            record: entry.record,
            input_digest: entry.digests.input,
            model: entry.model,
            version: entry.version,
            beats: truth.len() - 1,
        });
    }
    let json = serde_json::to_vec_pretty(&manifest).map_err(failed)?;
    add(&mut archive, "manifest.json", &json)?;
    archive.finish().map_err(failed)
}

fn add(archive: &mut tar::Builder<impl Write>, path: &str, bytes: &[u8]) -> Result<(), JournalError> {
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, path, bytes).map_err(failed)
}

fn failed(cause: impl Display) -> JournalError {
    JournalError::Export {
        what: cause.to_string(),
    }
}

/// A comment that names the prediction, then every beat of which a class holds. A class that WFDB has no code for stands in the beat's text.
fn annotations(journal: &Journal, entry: &Entry) -> Result<Vec<Annotation>, JournalError> {
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
    Ok(all)
}
