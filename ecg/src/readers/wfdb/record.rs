//! One segment: signal files to leads in millivolts.

use super::super::{Limits, NamedFile, ReadError};
use super::decode::{self, INVALID};
use super::header::{Header, Signal};
use crate::recording::{Flag, Lead, Recording, StandardLead};

/// Reads a record of one segment.
pub(super) fn read(
    name: &str,
    header: &Header,
    files: &[NamedFile<'_>],
    limits: &Limits,
) -> Result<Recording, ReadError> {
    let per_frame = header
        .signals
        .iter()
        .filter(|s| s.is_voltage())
        .map(|s| s.per_frame)
        .max()
        .ok_or_else(|| {
            let units: Vec<_> = header.signals.iter().map(|signal| signal.unit.as_str()).collect();
            ReadError::Unsupported {
                name: header.file.clone(),
                why: format!("none of its signals is a voltage; their units are {}", units.join(", ")),
            }
        })?;
    let kept = |signal: &Signal| signal.is_voltage() && signal.per_frame == per_frame;
    let frames = frames(header, files)?;
    let total = frames
        .saturating_mul(u64::from(per_frame))
        .saturating_mul(header.signals.len() as u64);
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
    for group in groups(&header.signals) {
        let decoded = if group[0].file == "~" {
            Group {
                values: Vec::new(),
                width: 1,
            }
        } else {
            read_group(header, group, files, frames)?
        };
        let mut place = 0;
        for signal in group {
            if kept(signal) {
                recording
                    .leads
                    .push(lead(signal, &decoded, place, frames as usize, &mut recording.flags));
            } else {
                recording.flags.push(Flag {
                    code: "signal_left_out",
                    detail: format!(
                        "signal `{}` ({}, {} samples a frame) is left out: it is no voltage or has another rate than the others",
                        signal.description, signal.unit, signal.per_frame
                    ),
                });
            }
            place += signal.per_frame as usize;
        }
    }
    Ok(recording)
}

/// Signals that lie interleaved in one file, in order.
fn groups(signals: &[Signal]) -> impl Iterator<Item = &[Signal]> {
    signals.chunk_by(|a, b| a.file == b.file && a.file != "~")
}

fn find<'a>(header: &Header, signal: &Signal, files: &[NamedFile<'a>]) -> Result<NamedFile<'a>, ReadError> {
    files
        .iter()
        .find(|file| file.base() == signal.file)
        .copied()
        .ok_or_else(|| ReadError::MissingFile {
            name: signal.file.clone(),
            why: format!(
                "the header `{}` keeps the signal `{}` in it",
                header.file, signal.description
            ),
        })
}

fn body<'a>(file: &NamedFile<'a>, signal: &Signal) -> &'a [u8] {
    usize::try_from(signal.offset)
        .ok()
        .and_then(|offset| file.bytes.get(offset..))
        .unwrap_or_default()
}

/// Frames of the record: as declared, or as many as the shortest file holds.
fn frames(header: &Header, files: &[NamedFile<'_>]) -> Result<u64, ReadError> {
    let mut present: Option<u64> = None;
    for group in groups(&header.signals).filter(|group| group[0].file != "~") {
        let file = find(header, &group[0], files)?;
        let width: u64 = group.iter().map(|signal| u64::from(signal.per_frame)).sum();
        let bytes = body(&file, &group[0]);
        let there = match decode::capacity(group[0].format, bytes.len() as u64) {
            Some(values) => values / width,
            // FLAC: the stream says itself; a declared length is checked when it is decoded.
            None if header.frames.is_some() => continue,
            None => decode::values(file.base(), group[0].format, bytes, None, &[])?.len() as u64 / width,
        };
        // A skewed signal runs ahead: its last samples belong to frames before the end of the file.
        let there = there.saturating_sub(group.iter().map(|signal| signal.skew).max().unwrap_or(0));
        if let Some(declared) = header.frames
            && there + group.iter().map(|signal| signal.skew).max().unwrap_or(0) < declared
        {
            return Err(ReadError::Truncated {
                name: file.base().to_owned(),
                declared,
                present: there,
            });
        }
        present = Some(present.map_or(there, |shortest| shortest.min(there)));
    }
    header
        .frames
        .or(present)
        .ok_or_else(|| ReadError::malformed(&header.file, "the record's length is not known"))
}

/// The values of one file and how many a frame has.
struct Group {
    values: Vec<i32>,
    width: usize,
}

fn read_group(header: &Header, group: &[Signal], files: &[NamedFile<'_>], frames: u64) -> Result<Group, ReadError> {
    let file = find(header, &group[0], files)?;
    let format = group[0].format;
    if group.iter().any(|signal| signal.format != format) {
        return Err(ReadError::malformed(
            &header.file,
            format!("the signals in `{}` differ in their format", file.base()),
        ));
    }
    let width: usize = group.iter().map(|signal| signal.per_frame as usize).sum();
    let skew = group.iter().map(|signal| signal.skew).max().unwrap_or(0);
    let wanted = usize::try_from(frames.saturating_add(skew))
        .unwrap_or(usize::MAX)
        .saturating_mul(width);
    let initial: Vec<i32> = group
        .iter()
        .flat_map(|signal| std::iter::repeat_n(signal.initial, signal.per_frame as usize))
        .collect();
    let values = decode::values(file.base(), format, body(&file, &group[0]), Some(wanted), &initial)?;
    let present = (values.len() / width) as u64;
    if present < frames {
        return Err(ReadError::Truncated {
            name: file.base().to_owned(),
            declared: frames,
            present,
        });
    }
    Ok(Group { values, width })
}

fn lead(signal: &Signal, group: &Group, place: usize, frames: usize, flags: &mut Vec<Flag>) -> Lead {
    let per_frame = signal.per_frame as usize;
    let gain = signal.gain.unwrap_or(200.0);
    let millivolts = signal.millivolts().unwrap_or(1.0);
    let (scale, baseline) = ((millivolts / gain) as f32, signal.baseline);
    let mut sum = 0_i64;
    let mut samples_mv = Vec::with_capacity(frames * per_frame);
    for frame in group
        .values
        .chunks_exact(group.width)
        .skip(signal.skew as usize)
        .take(frames)
    {
        for &value in &frame[place..place + per_frame] {
            sum += i64::from(value);
            samples_mv.push(if value == INVALID {
                f32::NAN
            } else {
                ((f64::from(value) - baseline) as f32) * scale
            });
        }
    }
    let complete = samples_mv.len() == frames * per_frame && signal.skew == 0;
    samples_mv.resize(frames * per_frame, f32::NAN);

    let name = signal.description.trim().to_owned();
    let standard = StandardLead::from_name(&name);
    let mut flag = |code, detail| flags.push(Flag { code, detail });
    if signal.gain.is_none() {
        flag(
            "uncalibrated",
            format!("signal `{name}` has no gain; the WFDB specification then says 200 units per mV, uncalibrated"),
        );
    }
    // Invalid samples were summed as the format's own codes, so the sum says nothing where there are any.
    let summable = complete && group.values.iter().all(|value| *value != INVALID);
    if let Some(checksum) = signal.checksum
        && summable
        && sum as i16 != checksum
    {
        flag(
            "checksum_mismatch",
            format!(
                "the samples of signal `{name}` sum to {}, the header says {checksum}",
                sum as i16
            ),
        );
    }
    if standard.is_none() {
        flag(
            "lead_name_unknown",
            format!("the name of signal `{name}` does not say which lead it is"),
        );
    }
    let rails_mv = (signal.bits > 0).then(|| {
        let half = 2.0_f64.powi(signal.bits as i32 - 1);
        let rail = |value: f64| ((signal.middle as f64 + value - baseline) * millivolts / gain) as f32;
        (rail(-half), rail(half - 1.0))
    });
    Lead {
        name,
        standard,
        samples_mv,
        rails_mv,
    }
}
