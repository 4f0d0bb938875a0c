//! A record put together: one segment, or several in a row.

use super::Headers;
use super::header::{Content, Header, Segment, is_null};
use super::leads::{Choice, choose};
use super::segment::Reader;
use super::signal_line::SignalSpec;
use crate::readers::error::{ReadError, shown};
use crate::readers::files::Files;
use crate::readers::{Hints, Limits, agree_on_rate, agree_on_unit};
use crate::recording::{Flag, Lead, Recording, StandardLead};

/// Reads a record and returns it with its frame rate, in which annotation times count.
pub(super) fn read(
    files: &Files<'_>,
    headers: &Headers,
    record: &str,
    hints: &Hints,
    limits: &Limits,
) -> Result<(Recording, f64), ReadError> {
    let header = known(headers, record)?;
    let mut reader = Reader {
        files,
        stated: hints.unit,
        per_frame: 1,
        work: limits.max_samples.saturating_mul(2),
        flags: Vec::new(),
    };
    let layout = layout_of(headers, header)?;
    let choice = choose(header, layout, limits.max_leads, &mut reader.flags)?;
    reader.per_frame = choice.per_frame;

    let frame_rate = match hints.sampling_rate_hz {
        Some(stated) if !header.rate_given => stated / f64::from(choice.per_frame),
        _ => header.frame_rate_hz,
    };
    let sampling_rate_hz = frame_rate * f64::from(choice.per_frame);
    agree_on_rate(&header.file, sampling_rate_hz, hints)?;
    if !header.rate_given && hints.sampling_rate_hz.is_none() {
        reader.flag(
            "rate_from_specification",
            "The header gives no sampling rate; the WFDB specification fixes 250 frames per second.".to_owned(),
        );
    }

    let mut tracks = vec![Vec::new(); choice.kept.len()];
    let mut rails = Rails::default();
    match &header.content {
        Content::Signals(signals) => {
            let present = || reader.frames_present(&header.file, signals, &choice.kept);
            let frames = match header.frames {
                Some(frames) => frames,
                None => {
                    let frames = present()?;
                    reader.flag(
                        "length_from_file",
                        "The header gives no length; the signal file's size was taken.".to_owned(),
                    );
                    frames
                }
            };
            check_size(header, &choice, frames, limits)?;
            let map: Vec<_> = choice.kept.iter().map(|index| Some(*index)).collect();
            describe(&mut reader, header, signals, &map, hints, &mut rails)?;
            reader.append(&header.file, signals, frames, true, &map, &mut tracks)?;
        }
        Content::Segments(segments) => {
            let Some(frames) = Header::total_frames(segments) else {
                return Err(too_long(header, limits));
            };
            if header.frames.is_some_and(|declared| declared != frames) {
                let what = format!("the segments hold {frames} samples, not the number the record line declares");
                return Err(ReadError::malformed(&header.file, 1, what));
            }
            check_size(header, &choice, frames, limits)?;
            let by_name = is_layout(headers, segments);
            for segment in segments {
                append_segment(
                    &mut reader,
                    headers,
                    header,
                    segment,
                    &Plan {
                        layout,
                        choice: &choice,
                        by_name,
                        hints,
                    },
                    &mut tracks,
                    &mut rails,
                )?;
            }
        }
    }
    if tracks.first().is_none_or(Vec::is_empty) {
        return Err(ReadError::EmptyFile {
            file: shown(&header.file),
        });
    }

    let mut leads = Vec::with_capacity(tracks.len());
    for (position, (index, samples_mv)) in choice.kept.iter().zip(tracks).enumerate() {
        let name = match layout[*index].name.as_str() {
            "" => format!("signal {index}"),
            name => name.to_owned(),
        };
        let standard = StandardLead::from_name(&name);
        if standard.is_none() {
            reader.flags.push(Flag::lead_name_unknown(&name));
        }
        leads.push(Lead {
            name,
            standard,
            samples_mv,
            rails_mv: rails.of(position),
        });
    }
    let recording = Recording {
        name: record.to_owned(),
        format: "wfdb".into(),
        sampling_rate_hz,
        leads,
        flags: reader.flags,
    };
    Ok((recording, frame_rate))
}

fn known<'h>(headers: &'h Headers, record: &str) -> Result<&'h Header, ReadError> {
    headers.get(record).ok_or_else(|| ReadError::MissingFile {
        file: format!("{}.hea", shown(record)),
        needed_by: "the record".to_owned(),
    })
}

/// Whether the first segment is a layout: no length, no samples, only the list of signals.
fn is_layout(headers: &Headers, segments: &[Segment]) -> bool {
    segments
        .first()
        .filter(|first| first.frames == 0)
        .and_then(|first| headers.get(first.record.as_deref()?))
        .is_some_and(|header| matches!(&header.content, Content::Signals(signals) if signals.iter().all(is_null)))
}

/// The signals a record has: its own, its layout segment's, or its first segment's.
fn layout_of<'h>(headers: &'h Headers, header: &'h Header) -> Result<&'h [SignalSpec], ReadError> {
    let segments = match &header.content {
        Content::Signals(signals) => return Ok(signals),
        Content::Segments(segments) => segments,
    };
    let Some(first) = segments.iter().find_map(|segment| segment.record.as_deref()) else {
        return Err(ReadError::malformed(&header.file, 1, "every segment is a gap"));
    };
    signals_of(headers, header, first)
}

fn signals_of<'h>(headers: &'h Headers, master: &Header, record: &str) -> Result<&'h [SignalSpec], ReadError> {
    match &known(headers, record)?.content {
        Content::Signals(signals) => Ok(signals),
        Content::Segments(_) => {
            let what = format!(
                "the segment {} has segments itself; they cannot be nested",
                shown(record)
            );
            Err(ReadError::malformed(&master.file, 1, what))
        }
    }
}

fn too_long(header: &Header, limits: &Limits) -> ReadError {
    ReadError::TooLarge {
        file: shown(&header.file),
        what: "the header declares more samples than fit in memory".to_owned(),
        limit: limits.max_samples,
    }
}

/// Refuses a record that would decode to too much, before anything is allocated for it.
fn check_size(header: &Header, choice: &Choice, frames: u64, limits: &Limits) -> Result<(), ReadError> {
    let total = frames
        .checked_mul(u64::from(choice.per_frame))
        .and_then(|samples| samples.checked_mul(choice.kept.len() as u64))
        .ok_or_else(|| too_long(header, limits))?;
    if total > limits.max_samples {
        return Err(ReadError::TooLarge {
            file: shown(&header.file),
            what: format!(
                "the header declares {frames} samples of {} leads, {total} in all",
                choice.kept.len()
            ),
            limit: limits.max_samples,
        });
    }
    Ok(())
}

/// How segments are fitted to the record.
struct Plan<'p> {
    layout: &'p [SignalSpec],
    choice: &'p Choice,
    by_name: bool,
    hints: &'p Hints,
}

fn append_segment(
    reader: &mut Reader<'_, '_>,
    headers: &Headers,
    master: &Header,
    segment: &Segment,
    plan: &Plan<'_>,
    tracks: &mut [Vec<f32>],
    rails: &mut Rails,
) -> Result<(), ReadError> {
    let bad = |what: String| ReadError::malformed(&master.file, segment.line, what);
    if segment.frames == 0 {
        return Ok(());
    }
    let Some(record) = &segment.record else {
        return reader.append(
            &master.file,
            &[],
            segment.frames,
            false,
            &vec![None; tracks.len()],
            tracks,
        );
    };
    let header = known(headers, record)?;
    let signals = signals_of(headers, master, record)?;
    if (header.frame_rate_hz - master.frame_rate_hz).abs() > 1e-6 * master.frame_rate_hz {
        return Err(bad(format!(
            "the segment {} has {} frames per second and the record {}",
            shown(record),
            header.frame_rate_hz,
            master.frame_rate_hz
        )));
    }
    let map: Vec<Option<usize>> = plan
        .choice
        .kept
        .iter()
        .map(|index| {
            if plan.by_name {
                let name = &plan.layout[*index].name;
                signals.iter().position(|signal| signal.name == *name)
            } else {
                (*index < signals.len()).then_some(*index)
            }
        })
        .collect();
    for index in map.iter().flatten() {
        let signal = &signals[*index];
        if signal.per_frame != plan.choice.per_frame {
            return Err(ReadError::malformed(
                &header.file,
                signal.line,
                format!(
                    "{} samples per frame where the record has {}",
                    signal.per_frame, plan.choice.per_frame
                ),
            ));
        }
    }
    describe(reader, header, signals, &map, plan.hints, rails)?;
    let whole = header.frames == Some(segment.frames);
    reader.append(&header.file, signals, segment.frames, whole, &map, tracks)
}

/// Checks and flags what the header says about the calibration of the kept signals.
fn describe(
    reader: &mut Reader<'_, '_>,
    header: &Header,
    signals: &[SignalSpec],
    map: &[Option<usize>],
    hints: &Hints,
    rails: &mut Rails,
) -> Result<(), ReadError> {
    for (position, index) in map.iter().enumerate() {
        let Some(signal) = index.map(|index| &signals[index]) else {
            continue;
        };
        rails.add(position, signal.rails_mv(hints.unit));
        match (&signal.unit, signal.voltage()) {
            (Some(_), Some(unit)) => agree_on_unit(&header.file, unit, hints)?,
            (Some(unit), None) => reader.flag(
                "segment_without_lead",
                format!(
                    "{}: \"{}\" is in {} and was left open.",
                    shown(&header.file),
                    shown(&signal.name),
                    shown(unit)
                ),
            ),
            (None, _) if hints.unit.is_none() => reader.flag(
                "unit_from_specification",
                format!(
                    "Lead \"{}\" has no unit; the WFDB specification fixes mV.",
                    shown(&signal.name)
                ),
            ),
            (None, _) => {}
        }
        if signal.gain.is_none() {
            reader.flag(
                "uncalibrated",
                format!(
                    "Lead \"{}\" has no gain; the WFDB specification takes 200 steps per unit, so amplitudes are not \
                     to be relied on.",
                    shown(&signal.name)
                ),
            );
        }
    }
    Ok(())
}

/// The leads' rails: known only where all segments agree.
#[derive(Default)]
struct Rails(Vec<(usize, Option<(f32, f32)>)>);

impl Rails {
    fn add(&mut self, lead: usize, rails: Option<(f32, f32)>) {
        match self.0.iter_mut().find(|(known, _)| *known == lead) {
            Some((_, known)) if *known == rails => {}
            Some((_, known)) => *known = None,
            None => self.0.push((lead, rails)),
        }
    }

    fn of(&self, lead: usize) -> Option<(f32, f32)> {
        self.0
            .iter()
            .find(|(known, _)| *known == lead)
            .and_then(|(_, rails)| *rails)
    }
}
