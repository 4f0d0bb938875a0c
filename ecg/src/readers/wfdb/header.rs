//! WFDB header files (`header(5)` of the WFDB library): the record line, signal lines and segment lines.

use super::format::Format;
use super::signal_line::{SignalSpec, parse_signal_line};
use crate::readers::error::{ReadError, shown};

/// Signals in one header. The largest published records have fewer than 300.
const MAX_SIGNALS: usize = 1024;

/// A header of one segment or of several.
#[derive(Debug)]
pub(super) struct Header {
    /// The header file's name.
    pub(super) file: String,
    /// Frames per second.
    pub(super) frame_rate_hz: f64,
    /// Whether the header states the frame rate; the specification's 250 stands in otherwise.
    pub(super) rate_given: bool,
    /// Frames, where the header states them.
    pub(super) frames: Option<u64>,
    pub(super) content: Content,
}

/// What follows the record line.
#[derive(Debug)]
pub(super) enum Content {
    Signals(Vec<SignalSpec>),
    Segments(Vec<Segment>),
}

/// One line of a multi-segment header.
#[derive(Debug)]
pub(super) struct Segment {
    /// The segment's record name, or `None` for a gap (`~`).
    pub(super) record: Option<String>,
    pub(super) frames: u64,
    pub(super) line: usize,
}

/// Reads a header. Comment lines, which carry names and ages, are skipped and never kept.
pub(super) fn parse(file: &str, bytes: &[u8]) -> Result<Header, ReadError> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    let mut lines = text
        .split('\n')
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let Some((line, record_line)) = lines.next() else {
        return Err(ReadError::malformed(file, 1, "there is no record line"));
    };
    let record = parse_record_line(file, line, record_line)?;
    let content = match record.segments {
        None => {
            let mut signals = Vec::new();
            for (line, text) in lines.take(record.signals) {
                signals.push(parse_signal_line(file, line, text)?);
            }
            check_count(file, line, "signals", record.signals, signals.len())?;
            for group in signals.chunk_by(|a, b| a.file.is_some() && a.file == b.file) {
                check_group(file, group)?;
            }
            Content::Signals(signals)
        }
        Some(count) => {
            let mut segments = Vec::new();
            for (line, text) in lines.take(count) {
                segments.push(parse_segment_line(file, line, text)?);
            }
            check_count(file, line, "segments", count, segments.len())?;
            Content::Segments(segments)
        }
    };
    Ok(Header {
        file: file.to_owned(),
        frame_rate_hz: record.rate.unwrap_or(250.0),
        rate_given: record.rate.is_some(),
        frames: record.frames,
        content,
    })
}

fn check_count(file: &str, line: usize, what: &str, declared: usize, present: usize) -> Result<(), ReadError> {
    if declared == present {
        return Ok(());
    }
    Err(ReadError::malformed(
        file,
        line,
        format!("{declared} {what} are declared and {present} lines describe one"),
    ))
}

/// Signals of one file must agree on how the file is laid out.
fn check_group(file: &str, group: &[SignalSpec]) -> Result<(), ReadError> {
    let Some((first, rest)) = group.split_first() else {
        return Ok(());
    };
    for signal in rest {
        if signal.format != first.format || signal.offset != first.offset {
            let what = "the format and byte offset must be those of the file's other signals";
            return Err(ReadError::malformed(file, signal.line, what));
        }
        if first.format.is_flac() && signal.per_frame != first.per_frame {
            let what = "signals of one FLAC file must have one number of samples per frame";
            return Err(ReadError::malformed(file, signal.line, what));
        }
    }
    Ok(())
}

struct RecordLine {
    segments: Option<usize>,
    signals: usize,
    rate: Option<f64>,
    frames: Option<u64>,
}

/// `name[/segments] signals [rate[/counter[(base)]] [frames [time [date]]]]`; time and date are not kept.
fn parse_record_line(file: &str, line: usize, text: &str) -> Result<RecordLine, ReadError> {
    let bad = |what: String| ReadError::malformed(file, line, what);
    let mut fields = text.split_ascii_whitespace();
    let name = fields.next().unwrap_or_default();
    let segments = match name.split_once('/') {
        None => None,
        Some((_, count)) => match count.parse::<u32>() {
            Ok(count) if count > 0 => Some(count as usize),
            _ => {
                return Err(bad(format!(
                    "the number of segments \"{}\" is not a count",
                    shown(count)
                )));
            }
        },
    };
    let signals = fields.next().unwrap_or_default();
    let signals = match signals.parse::<u32>() {
        Ok(count) if count > 0 => count as usize,
        _ => {
            return Err(bad(format!(
                "the number of signals \"{}\" is not a count above zero",
                shown(signals)
            )));
        }
    };
    if signals > MAX_SIGNALS {
        return Err(ReadError::TooLarge {
            file: shown(file),
            what: format!("the header declares {signals} signals"),
            limit: MAX_SIGNALS as u64,
        });
    }
    let rate = match fields.next() {
        None => None,
        Some(token) => {
            let number = token.split(['/', '(']).next().unwrap_or_default();
            match number.parse::<f64>() {
                Ok(rate) if rate.is_finite() && rate > 0.0 => Some(rate),
                _ => {
                    return Err(bad(format!(
                        "the sampling frequency \"{}\" is not a number above zero",
                        shown(token)
                    )));
                }
            }
        }
    };
    let frames = match fields.next() {
        None => None,
        Some(token) => match token.parse::<u64>() {
            Ok(0) => None,
            Ok(frames) => Some(frames),
            Err(_) => {
                return Err(bad(format!(
                    "the number of samples \"{}\" is not a count",
                    shown(token)
                )));
            }
        },
    };
    Ok(RecordLine {
        segments,
        signals,
        rate,
        frames,
    })
}

/// `record frames`, with `~` for a gap.
fn parse_segment_line(file: &str, line: usize, text: &str) -> Result<Segment, ReadError> {
    let mut fields = text.split_ascii_whitespace();
    let name = fields.next().unwrap_or_default();
    let frames = fields.next().unwrap_or_default();
    let Ok(frames) = frames.parse::<u64>() else {
        let what = format!("the segment length \"{}\" is not a count", shown(frames));
        return Err(ReadError::malformed(file, line, what));
    };
    let record = match name {
        "~" => None,
        name => Some(plain_name(file, line, name)?.to_owned()),
    };
    Ok(Segment { record, frames, line })
}

/// A name that can only mean a file beside the header.
pub(super) fn plain_name<'n>(file: &str, line: usize, name: &'n str) -> Result<&'n str, ReadError> {
    let is_path = name.contains(['/', '\\', ':']) || name.chars().any(char::is_control);
    if is_path || matches!(name, "" | "." | ".." | "-") {
        return Err(ReadError::UnsafeFileName {
            file: shown(file),
            line,
            name: shown(name),
        });
    }
    Ok(name)
}

impl Header {
    /// The sum of the segments' frames, `None` when it overflows.
    pub(super) fn total_frames(segments: &[Segment]) -> Option<u64> {
        segments
            .iter()
            .try_fold(0_u64, |sum, segment| sum.checked_add(segment.frames))
    }
}

/// A signal that has no samples of its own: the layout header's lines, or a gap.
pub(super) fn is_null(signal: &SignalSpec) -> bool {
    signal.file.is_none() || signal.format == Format::Null
}
