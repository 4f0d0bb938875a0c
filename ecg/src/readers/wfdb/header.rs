//! The header's lines.

use super::super::{Limits, ReadError, Unit};

/// A record's header. Comments are not kept: they hold names, ages and diagnoses.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Header {
    /// The header file, for messages.
    pub(super) file: String,
    /// Frames per second, where the line says.
    pub(super) rate_hz: Option<f64>,
    /// Frames; `None` where unknown.
    pub(super) frames: Option<u64>,
    /// Of a record of one segment.
    pub(super) signals: Vec<Signal>,
    /// Of a record of several; then `signals` is empty.
    pub(super) segments: Vec<Segment>,
}

/// One segment of a record.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Segment {
    /// The segment's record name, `~` for a gap.
    pub(super) name: String,
    /// Frames; zero marks the layout of a variable-layout record.
    pub(super) frames: u64,
}

/// One signal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Signal {
    /// The signal file, `~` for none.
    pub(super) file: String,
    pub(super) format: u32,
    /// Samples a frame.
    pub(super) per_frame: u32,
    /// Frames that the file's signal runs ahead.
    pub(super) skew: u64,
    /// Bytes before the first sample.
    pub(super) offset: u64,
    /// Converter units per physical unit; `None` where absent or zero, which means 200 and uncalibrated.
    pub(super) gain: Option<f64>,
    /// Converter value of zero physical units.
    pub(super) baseline: f64,
    pub(super) unit: String,
    /// Converter's bits, zero where unknown.
    pub(super) bits: u32,
    /// Converter value in the middle of its range.
    pub(super) middle: i64,
    /// Value before the first difference of format 8.
    pub(super) initial: i32,
    /// Sum of all samples as 16 bits.
    pub(super) checksum: Option<i16>,
    pub(super) description: String,
}

impl Signal {
    /// Millivolts per physical unit, where the unit is one of voltage; the specification's unit is mV when absent.
    pub(super) fn millivolts(&self) -> Option<f64> {
        if self.unit.is_empty() {
            Some(1.0)
        } else {
            Unit::from_name(&self.unit).map(Unit::millivolts)
        }
    }

    pub(super) fn is_voltage(&self) -> bool {
        self.millivolts().is_some()
    }
}

impl Header {
    pub(super) fn parse(file: &str, bytes: &[u8], limits: &Limits) -> Result<Self, ReadError> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text
            .split(['\n', '\r'])
            .map(str::trim)
            .enumerate()
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let wrong = |line: usize, why: &str| ReadError::malformed(file, format!("line {}: {why}", line + 1));
        let (at, first) = lines.next().ok_or_else(|| wrong(0, "the header has no record line"))?;
        let mut words = first.split_whitespace();
        let record = words.next().unwrap_or_default();
        let segment_count = match record.split_once('/') {
            None => 0,
            Some((_, count)) => count
                .parse::<usize>()
                .map_err(|_| wrong(at, "the number of segments is not a number"))?,
        };
        let signal_count: usize = words
            .next()
            .and_then(|word| word.parse().ok())
            .ok_or_else(|| wrong(at, "the second word must be the number of signals"))?;
        if signal_count > limits.max_leads {
            return Err(ReadError::TooLarge {
                name: file.to_owned(),
                what: "signals",
                count: signal_count as u64,
                limit: limits.max_leads as u64,
            });
        }
        let rate_hz = match words.next() {
            None => None,
            Some(word) => {
                let number = word.split(['/', '(']).next().unwrap_or_default();
                let rate: f64 = number
                    .parse()
                    .map_err(|_| wrong(at, "the sampling frequency is not a number"))?;
                if !(rate.is_finite() && rate > 0.0) {
                    return Err(wrong(at, "the sampling frequency must be above zero"));
                }
                Some(rate)
            }
        };
        let frames = match words.next() {
            None => None,
            Some(word) => {
                let frames: u64 = word
                    .parse()
                    .map_err(|_| wrong(at, "the number of samples is not a number"))?;
                Some(frames).filter(|frames| *frames > 0)
            }
        };
        let mut header = Self {
            file: file.to_owned(),
            rate_hz,
            frames,
            signals: Vec::new(),
            segments: Vec::new(),
        };
        if segment_count > 0 {
            for (at, line) in lines.by_ref().take(segment_count) {
                let mut words = line.split_whitespace();
                let name = words.next().unwrap_or_default().to_owned();
                let frames = words.next().and_then(|word| word.parse().ok());
                let frames = frames.ok_or_else(|| wrong(at, "a segment line is a name and a number of samples"))?;
                check_name(file, &name)?;
                header.segments.push(Segment { name, frames });
            }
            if header.segments.len() < segment_count {
                return Err(wrong(at, "fewer segments are listed than declared"));
            }
        } else {
            if signal_count == 0 {
                return Err(wrong(at, "the record has no signals"));
            }
            for (at, line) in lines.take(signal_count) {
                header.signals.push(signal(line).map_err(|why| wrong(at, &why))?);
                check_name(file, &header.signals[header.signals.len() - 1].file)?;
            }
            if header.signals.len() < signal_count {
                return Err(wrong(at, "fewer signals are described than declared"));
            }
        }
        Ok(header)
    }
}

/// A header's names lie beside it; anything that could lead elsewhere is refused before a file is looked for.
fn check_name(header: &str, name: &str) -> Result<(), ReadError> {
    let leads_away = name.is_empty()
        || name == "-"
        || name == "."
        || name.contains("..")
        || name.contains(['/', '\\', ':', '\0', '%'])
        || name.starts_with('|');
    if leads_away {
        return Err(ReadError::UnsafeFileName {
            header: header.to_owned(),
            name: name.escape_debug().collect(),
        });
    }
    Ok(())
}

fn signal(line: &str) -> Result<Signal, String> {
    let mut rest = line;
    let mut word = || {
        let trimmed = rest.trim_start();
        let end = trimmed.find(char::is_whitespace).unwrap_or(trimmed.len());
        let (word, after) = trimmed.split_at(end);
        rest = after;
        Some(word).filter(|word| !word.is_empty())
    };
    let file = word().unwrap_or_default().to_owned();
    let mut parsed = Signal {
        file,
        format: 0,
        per_frame: 1,
        skew: 0,
        offset: 0,
        gain: None,
        baseline: 0.0,
        unit: String::new(),
        bits: 0,
        middle: 0,
        initial: 0,
        checksum: None,
        description: String::new(),
    };
    layout(word().ok_or("the signal has no format")?, &mut parsed)?;
    let stated_baseline = match word() {
        None => None,
        Some(text) => gain(text, &mut parsed)?,
    };
    let number = |text: Option<&str>, what: &str| -> Result<Option<i64>, String> {
        text.map(|text| {
            text.parse()
                .map_err(|_| format!("the {what} `{text}` is not a whole number"))
        })
        .transpose()
    };
    parsed.bits = u32::try_from(number(word(), "resolution")?.unwrap_or(0))
        .unwrap_or(0)
        .min(32);
    parsed.middle = number(word(), "converter's zero")?.unwrap_or(0);
    let initial = number(word(), "initial value")?.unwrap_or(parsed.middle);
    parsed.initial = i32::try_from(initial).map_err(|_| "the initial value does not fit 32 bits")?;
    // Some writers give the checksum unsigned.
    parsed.checksum = number(word(), "checksum")?.map(|value| value as i16);
    word();
    parsed.description = rest.trim().to_owned();
    parsed.baseline = stated_baseline.unwrap_or(parsed.middle as f64);
    Ok(parsed)
}

/// `format[xSAMPLES][:skew][+offset]`.
fn layout(text: &str, signal: &mut Signal) -> Result<(), String> {
    let end = text.find(['x', ':', '+']).unwrap_or(text.len());
    signal.format = text[..end]
        .parse()
        .map_err(|_| format!("the format `{text}` is not a number"))?;
    let mut rest = &text[end..];
    while let Some(mark) = rest.chars().next() {
        let body = &rest[1..];
        let end = body.find(['x', ':', '+']).unwrap_or(body.len());
        let number: u64 = body[..end]
            .parse()
            .map_err(|_| format!("the format `{text}` cannot be understood after `{mark}`"))?;
        match mark {
            'x' if (1..=1024).contains(&number) => signal.per_frame = number as u32,
            'x' => return Err(format!("{number} samples a frame are not between 1 and 1024")),
            ':' => signal.skew = number,
            _ => signal.offset = number,
        }
        rest = &body[end..];
    }
    Ok(())
}

/// `gain[(baseline)][/unit]`; gives the baseline where stated.
fn gain(text: &str, signal: &mut Signal) -> Result<Option<f64>, String> {
    let (number, unit) = text.split_once('/').map_or((text, ""), |(number, unit)| (number, unit));
    signal.unit = unit.to_owned();
    let (number, baseline) = match number.split_once('(') {
        None => (number, None),
        Some((number, rest)) => {
            let inner = rest.trim_end_matches(')');
            let value: f64 = inner
                .parse()
                .map_err(|_| format!("the baseline `{inner}` is not a number"))?;
            (number, Some(value))
        }
    };
    let value: f64 = number
        .parse()
        .map_err(|_| format!("the gain `{number}` is not a number"))?;
    if !value.is_finite() || baseline.is_some_and(|baseline| !baseline.is_finite()) {
        return Err(format!("the gain `{text}` is not finite"));
    }
    signal.gain = Some(value).filter(|gain| *gain != 0.0);
    Ok(baseline)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Header, ReadError> {
        Header::parse("x.hea", text.as_bytes(), &Limits::default())
    }

    #[test]
    fn every_field_is_found_where_the_specification_puts_it() {
        let header = parse("# name: secret\r\nr 1 360/10(5) 1000 12:00:00 1/1/2000\r\nd.dat 212x2:3+24 100.5(-7)/uV 11 1024 995 -22131 0 MLII lead\r\n").unwrap();
        assert_eq!((header.rate_hz, header.frames), (Some(360.0), Some(1000)));
        let signal = &header.signals[0];
        assert_eq!(
            (signal.format, signal.per_frame, signal.skew, signal.offset),
            (212, 2, 3, 24)
        );
        assert_eq!(
            (signal.gain, signal.baseline, signal.unit.as_str()),
            (Some(100.5), -7.0, "uV")
        );
        assert_eq!(
            (signal.bits, signal.middle, signal.initial, signal.checksum),
            (11, 1024, 995, Some(-22131))
        );
        assert_eq!(signal.description, "MLII lead");
    }

    #[test]
    fn what_is_absent_means_what_the_specification_says() {
        let header = parse("r 1\nd.dat 16").unwrap();
        let signal = &header.signals[0];
        assert_eq!(
            (header.rate_hz, header.frames, signal.gain, signal.baseline),
            (None, None, None, 0.0)
        );
        assert_eq!(signal.millivolts(), Some(1.0));
        assert_eq!(parse("r 1\nd.dat 16 200 12 100").unwrap().signals[0].baseline, 100.0);
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["../x", "/etc/passwd", "a\\b", "-", "..", "c:x", "|cmd", "%2e%2e"] {
            assert_eq!(
                parse(&format!("r 1 360\n{name} 16 200")).unwrap_err().code(),
                "unsafe_file_name",
                "{name}"
            );
        }
    }

    #[test]
    fn nonsense_is_named_by_its_line() {
        for text in [
            "",
            "r",
            "r x",
            "r 1 0",
            "r 1 -360",
            "r 1 nan",
            "r 2 360\nd.dat 16",
            "r 1 360 10\nd.dat x",
            "r 0 360",
            "r/2 1 360 10\na 5",
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.code(), "malformed", "{text}");
            assert!(error.to_string().contains("line"), "{error}");
        }
        assert_eq!(parse("r 99999999 360").unwrap_err().code(), "too_large");
    }
}
