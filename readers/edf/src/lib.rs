//! The plugin that reads EDF (1992), EDF+ (2003), BDF and BDF+ recordings.
//!
//! Of a file's header only what the signals need is looked at: the fields that name the patient, the recording and its
//! date are never decoded, and of the annotations only the times at which data records start.
#![deny(unsafe_code)]

mod field;
mod header;
mod leads;
mod samples;
mod timeline;

use einthoven_plugin_sdk::{Failure, InputFile, ReadHints, Reader, ReaderInfo, RecordingSink, Setup};
use field::{shown, shown_list};
use header::Header;
use leads::Lead;
use timeline::Timeline;

#[cfg(feature = "plugin")]
einthoven_plugin_sdk::export_reader!(EdfReader);

/// Reads one EDF or BDF file.
#[derive(Debug, Clone, Copy, Default)]
pub struct EdfReader;

impl Reader for EdfReader {
    const INFO: ReaderInfo = ReaderInfo {
        name: "edf",
        version: env!("CARGO_PKG_VERSION"),
        formats: &["edf", "bdf", "rec"],
    };

    fn open(_: &Setup<'_>) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn recognises(&self, files: &[InputFile<'_>]) -> bool {
        files.iter().any(|file| header::recognised(file))
    }

    fn read(&self, files: &[InputFile<'_>], hints: &ReadHints, sink: &mut dyn RecordingSink) -> Result<(), Failure> {
        let file = one_of(files, hints.record.as_deref())?;
        let header = Header::parse(file)?;
        let choice = leads::choose(&header, hints)?;
        let rate = header.sampling_rate(choice.per_record, hints)?;
        let leads = choice
            .kept
            .iter()
            .map(|signal| Lead::of(&header, signal, hints))
            .collect::<Result<Vec<_>, _>>()?;
        let (records, notes) = header.whole_records()?;
        let timeline = Timeline::of(&header, records, choice.per_record, rate)?;

        sink.begin(stem(file.name), rate)?;
        for note in notes.iter().chain(&choice.notes).chain(&timeline.note) {
            sink.flag(note.code, &note.detail);
        }
        for lead in &leads {
            let out = sink.lead(&lead.name, timeline.samples, lead.rails_mv)?;
            samples::fill(out, &header, lead, &timeline);
        }
        Ok(())
    }
}

/// A flag on its way to the sink.
struct Note {
    code: &'static str,
    detail: String,
}

/// The file to read: the only one of this format, or the one asked for by its name with or without its ending.
fn one_of<'f, 'b>(files: &'f [InputFile<'b>], record: Option<&str>) -> Result<&'f InputFile<'b>, Failure> {
    let known: Vec<_> = files.iter().filter(|file| header::recognised(file)).collect();
    let names = || shown_list(known.iter().map(|file| file.name));
    match (record, known.as_slice()) {
        (_, []) => Err(Failure::invalid(format!(
            "{}: there is no EDF or BDF header at its start; send the recorder's own file",
            shown_list(files.iter().map(|file| file.name))
        ))),
        (None, [one]) => Ok(one),
        (None, many) => Err(Failure::invalid(format!(
            "{} recordings were sent ({}); send one at a time or name one with `record`",
            many.len(),
            names()
        ))),
        (Some(record), many) => many
            .iter()
            .find(|file| file.name == record || stem(file.name) == record)
            .copied()
            .ok_or_else(|| {
                Failure::invalid(format!(
                    "there is no recording {} among the files sent ({}); name one of them with `record`",
                    shown(record),
                    names()
                ))
            }),
    }
}

fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}
