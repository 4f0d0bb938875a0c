//! Records of several segments, of fixed and of variable layout.

use super::super::{Limits, NamedFile, ReadError};
use super::header::{Header, Segment};
use super::record;
use crate::recording::{Flag, Lead, Recording, StandardLead};

/// Reads all segments one after the other; gaps and signals that a segment lacks become invalid samples.
pub(super) fn read(
    name: &str,
    header: &Header,
    headers: &[(&str, Header)],
    files: &[NamedFile<'_>],
    limits: &Limits,
) -> Result<Recording, ReadError> {
    let find = |segment: &Segment| {
        headers
            .iter()
            .find(|(stem, _)| *stem == segment.name)
            .map(|(_, header)| header)
            .ok_or_else(|| ReadError::MissingFile {
                name: format!("{}.hea", segment.name),
                why: format!("it is a segment of the record `{name}`"),
            })
    };
    // A first segment of length zero lists all signals of a variable layout.
    let (layout, segments) = match header.segments.split_first() {
        Some((first, rest)) if first.frames == 0 && first.name != "~" => (Some(find(first)?), rest),
        _ => (None, header.segments.as_slice()),
    };
    let reference = match layout {
        Some(layout) => layout,
        None => find(
            segments
                .iter()
                .find(|segment| segment.name != "~")
                .ok_or_else(|| ReadError::malformed(&header.file, "all segments are gaps"))?,
        )?,
    };
    if !reference.segments.is_empty() {
        return Err(ReadError::Unsupported {
            name: header.file.clone(),
            why: "a segment of several segments is not allowed".to_owned(),
        });
    }
    let wanted: Vec<_> = reference.signals.iter().filter(|signal| signal.is_voltage()).collect();
    let frames = segments
        .iter()
        .fold(0_u64, |sum, segment| sum.saturating_add(segment.frames));
    let per_frame = u64::from(wanted.first().map_or(1, |signal| signal.per_frame));
    let total = frames.saturating_mul(per_frame).saturating_mul(wanted.len() as u64);
    if total > limits.max_samples {
        return Err(ReadError::TooLarge {
            name: header.file.clone(),
            what: "samples",
            count: total,
            limit: limits.max_samples,
        });
    }
    let mut recording = Recording {
        name: name.to_owned(),
        format: "wfdb",
        sampling_rate_hz: 1.0,
        leads: Vec::new(),
        flags: Vec::new(),
    };
    for signal in &wanted {
        let name = signal.description.trim().to_owned();
        let standard = StandardLead::from_name(&name);
        recording.leads.push(Lead {
            name,
            standard,
            samples_mv: Vec::new(),
            rails_mv: None,
        });
    }
    if recording.leads.is_empty() {
        return Err(ReadError::Unsupported {
            name: header.file.clone(),
            why: "none of its signals is a voltage".to_owned(),
        });
    }
    let mut done = 0_usize;
    for segment in segments {
        let end = done + (segment.frames * per_frame) as usize;
        if segment.name != "~" {
            let part = find(segment)?;
            if !part.segments.is_empty() {
                return Err(ReadError::Unsupported {
                    name: part.file.clone(),
                    why: "a segment of several segments is not allowed".to_owned(),
                });
            }
            append(
                &mut recording,
                record::read(&segment.name, part, files, limits)?,
                layout.is_some(),
                end - done,
            );
        }
        for lead in &mut recording.leads {
            lead.samples_mv.resize(end, f32::NAN);
        }
        done = end;
    }
    if let Some(declared) = header.frames
        && declared != frames
    {
        let detail = format!("the record `{name}` declares {declared} samples, its segments have {frames}");
        recording.flags.push(Flag {
            code: "length_mismatch",
            detail,
        });
    }
    if recording.is_empty() {
        return Err(ReadError::malformed(&header.file, "the record has no samples"));
    }
    Ok(recording)
}

/// Puts a segment's leads behind those that are there: by name in a variable layout, by place in a fixed one.
fn append(recording: &mut Recording, segment: Recording, by_name: bool, length: usize) {
    for flag in segment.flags {
        if !recording.flags.contains(&flag) {
            recording.flags.push(flag);
        }
    }
    for (place, mut part) in segment.leads.into_iter().enumerate() {
        let target = if by_name {
            recording.leads.iter_mut().find(|lead| lead.name == part.name)
        } else {
            recording.leads.get_mut(place)
        };
        if let Some(lead) = target {
            part.samples_mv.truncate(length);
            lead.samples_mv.append(&mut part.samples_mv);
            lead.rails_mv = lead.rails_mv.or(part.rails_mv);
        }
    }
}
