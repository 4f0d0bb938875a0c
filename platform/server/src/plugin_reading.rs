//! Files that our own readers refuse, read by a reader that came as a plugin.

use crate::input::InputError;
use einthoven_ecg::readers::{Hints, Input, Limits, NamedFile, Reading};
use einthoven_ecg::recording::{Flag, Lead, Recording, StandardLead};
use einthoven_plugin_host::{InputFile, ReadBounds, ReadHints, ReadRecording, Readers};

/// What the first plugin that knows these files makes of them; `None` when none does.
pub(crate) fn read(
    readers: &Readers,
    files: &[NamedFile<'_>],
    hints: &Hints,
    limits: &Limits,
) -> Option<Result<Reading, InputError>> {
    let files: Vec<_> = files
        .iter()
        .map(|file| InputFile {
            name: file.name.rsplit(['/', '\\']).next().unwrap_or_default(),
            bytes: file.bytes,
        })
        .collect();
    let hints = ReadHints {
        sampling_rate_hz: hints.sampling_rate_hz,
        millivolts_per_unit: hints.unit.map(|unit| unit.millivolts()),
        record: hints.record.clone(),
    };
    let bounds = ReadBounds {
        max_samples: limits.max_samples,
        max_leads: limits.max_leads,
    };
    let read = readers.read(&files, &hints, &bounds)?;
    Some(read.map(reading).map_err(InputError::Plugin))
}

fn reading(read: ReadRecording) -> Reading {
    let mut flags: Vec<_> = read
        .flags
        .into_iter()
        .map(|(code, detail)| Flag {
            code: code.into(),
            detail,
        })
        .collect();
    let mut leads = Vec::with_capacity(read.leads.len());
    for lead in read.leads {
        let standard = StandardLead::from_name(&lead.name);
        if standard.is_none() {
            flags.push(Flag::lead_name_unknown(&lead.name));
        }
        leads.push(Lead {
            name: lead.name,
            standard,
            samples_mv: lead.samples_mv,
            rails_mv: lead.rails_mv,
        });
    }
    Reading {
        input: Input::Recording(Recording {
            name: read.record,
            format: read.reader.into(),
            sampling_rate_hz: read.sampling_rate_hz,
            leads,
            flags,
        }),
        annotations: None,
    }
}
