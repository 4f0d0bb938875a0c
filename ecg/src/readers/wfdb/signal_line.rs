//! One signal line of a WFDB header:
//! `file format[xN][:skew][+offset] [gain[(baseline)][/units] [resolution [zero [initial [checksum [block [name]]]]]]]`.

use super::format::Format;
use super::header::plain_name;
use crate::readers::Unit;
use crate::readers::error::{ReadError, shown};

/// Samples per frame of one signal; published records go to 1000.
const MAX_PER_FRAME: u32 = 65_536;

/// What a header says about one signal.
#[derive(Debug, Clone)]
pub(super) struct SignalSpec {
    /// The signal file, or `None` for `~`.
    pub(super) file: Option<String>,
    pub(super) format: Format,
    /// Samples per frame, at least 1.
    pub(super) per_frame: u32,
    /// Frames by which the signal lies late in its file.
    pub(super) skew: u32,
    /// Bytes before the first frame.
    pub(super) offset: u64,
    /// Converter steps per unit; `None` where absent or 0 (uncalibrated).
    pub(super) gain: Option<f64>,
    /// Converter value at zero units.
    pub(super) baseline: i64,
    /// The unit as written, `None` where absent (the specification fixes mV).
    pub(super) unit: Option<String>,
    /// Bits of the converter, where given.
    pub(super) resolution: Option<u32>,
    /// Converter value in the middle of its range.
    pub(super) zero: i64,
    /// The sample before the first one, for formats that store differences.
    pub(super) initial: i32,
    /// 16-bit sum of all samples, where given.
    pub(super) checksum: Option<u16>,
    /// The signal's name.
    pub(super) name: String,
    /// The header's line, from 1.
    pub(super) line: usize,
}

impl SignalSpec {
    /// The unit of voltage the signal is in, `None` when it is no voltage.
    pub(super) fn voltage(&self) -> Option<Unit> {
        match &self.unit {
            None => Some(Unit::Millivolt),
            Some(unit) => Unit::from_name(unit),
        }
    }

    /// Converter steps per unit; the specification fixes 200 where the header gives none.
    pub(super) fn gain_or_specified(&self) -> f64 {
        self.gain.unwrap_or(200.0)
    }

    /// Millivolts per unit of the header, by its own unit or the one stated where it has none.
    pub(super) fn millivolts(&self, stated: Option<Unit>) -> Option<f64> {
        let unit = match &self.unit {
            None => stated.unwrap_or(Unit::Millivolt),
            Some(unit) => Unit::from_name(unit)?,
        };
        Some(unit.millivolts())
    }

    /// The converter's lowest and highest value in millivolts, where the header says how many bits it has.
    pub(super) fn rails_mv(&self, stated: Option<Unit>) -> Option<(f32, f32)> {
        let half = 1_i64 << (self.resolution.filter(|bits| (2..=32).contains(bits))? - 1);
        let scale = self.millivolts(stated)? / self.gain_or_specified();
        let low = (self.zero - half - self.baseline) as f64 * scale;
        let high = (self.zero + half - 1 - self.baseline) as f64 * scale;
        let rails = (low.min(high) as f32, low.max(high) as f32);
        (rails.0.is_finite() && rails.1.is_finite()).then_some(rails)
    }
}

pub(super) fn parse_signal_line(file: &str, line: usize, text: &str) -> Result<SignalSpec, ReadError> {
    let mut rest = text;
    let mut next = || {
        rest = rest.trim_start();
        let end = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
        let (field, after) = rest.split_at(end);
        rest = after;
        (!field.is_empty()).then_some(field)
    };
    let bad = |what: &str, value: &str| ReadError::malformed(file, line, format!("{what} \"{}\"", shown(value)));
    let integer = |what: &str, value: &str, low: i64, high: i64| match value.parse::<i64>() {
        Ok(number) if (low..=high).contains(&number) => Ok(number),
        _ => Err(bad(what, value)),
    };
    const BOUND: i64 = 1 << 40;

    let signal_file = match next() {
        None => return Err(bad("no file name in", text)),
        Some("~") => None,
        Some(name) => Some(plain_name(file, line, name)?.to_owned()),
    };
    let Some(layout) = next() else {
        return Err(bad(
            "no format after the file name",
            signal_file.as_deref().unwrap_or("~"),
        ));
    };
    let layout = parse_layout(file, line, layout)?;
    let calibration = match next() {
        None => Calibration::default(),
        Some(token) => parse_calibration(token).ok_or_else(|| bad("not a gain:", token))?,
    };
    let resolution = next().map_or(Ok(0), |token| integer("not a resolution in bits:", token, 0, 64))?;
    let zero = match next() {
        None => 0,
        Some(token) => integer("not a converter zero:", token, -BOUND, BOUND)?,
    };
    let initial = match next() {
        None => zero,
        Some(token) => integer("not an initial value:", token, -BOUND, BOUND)?,
    };
    let checksum = match next() {
        None => None,
        // Written as a signed or an unsigned 16-bit number, by different programs.
        Some(token) => Some(integer("not a checksum:", token, -BOUND, BOUND)? as u16),
    };
    if let Some(token) = next() {
        integer("not a block size:", token, -BOUND, BOUND)?;
    }
    Ok(SignalSpec {
        file: signal_file,
        format: layout.format,
        per_frame: layout.per_frame,
        skew: layout.skew,
        offset: layout.offset,
        gain: calibration.gain,
        baseline: calibration.baseline.unwrap_or(zero),
        unit: calibration.unit,
        resolution: u32::try_from(resolution).ok().filter(|bits| *bits > 0),
        zero,
        initial: initial.clamp(i32::MIN.into(), i32::MAX.into()) as i32,
        checksum,
        name: rest.trim().chars().filter(|c| !c.is_control()).take(64).collect(),
        line,
    })
}

struct Layout {
    format: Format,
    per_frame: u32,
    skew: u32,
    offset: u64,
}

/// `format[xN][:skew][+offset]`
fn parse_layout(file: &str, line: usize, token: &str) -> Result<Layout, ReadError> {
    let bad = |what: &str| ReadError::malformed(file, line, format!("{what} in \"{}\"", shown(token)));
    let digits_end = token.find(|c: char| !c.is_ascii_digit()).unwrap_or(token.len());
    let (number, mut rest) = token.split_at(digits_end);
    let Ok(number) = number.parse::<u32>() else {
        return Err(bad("there is no format number"));
    };
    let Some(format) = Format::from_number(number) else {
        return Err(ReadError::Unsupported {
            file: shown(file),
            what: format!("line {line} names the signal format {number}, which is not read"),
        });
    };
    let mut layout = Layout {
        format,
        per_frame: 1,
        skew: 0,
        offset: 0,
    };
    while let Some(kind) = rest.chars().next() {
        if !kind.is_ascii() {
            return Err(bad("unexpected character"));
        }
        let value = &rest[1..];
        let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
        let Ok(number) = value[..end].parse::<u64>() else {
            return Err(bad("a number is missing or too large"));
        };
        match kind {
            'x' => match u32::try_from(number) {
                Ok(count @ 1..=MAX_PER_FRAME) => layout.per_frame = count,
                _ => {
                    return Err(ReadError::TooLarge {
                        file: shown(file),
                        what: format!("line {line} declares {number} samples per frame"),
                        limit: MAX_PER_FRAME.into(),
                    });
                }
            },
            ':' => layout.skew = u32::try_from(number).map_err(|_| bad("the skew is too large"))?,
            '+' => layout.offset = number,
            _ => return Err(bad("unexpected character")),
        }
        rest = &value[end..];
    }
    Ok(layout)
}

#[derive(Default)]
struct Calibration {
    gain: Option<f64>,
    baseline: Option<i64>,
    unit: Option<String>,
}

/// `gain[(baseline)][/units]`
fn parse_calibration(token: &str) -> Option<Calibration> {
    let (number, unit) = match token.split_once('/') {
        Some((number, unit)) => (number, Some(unit)),
        None => (token, None),
    };
    let (gain, baseline) = match number.split_once('(') {
        Some((gain, baseline)) => {
            let baseline: i64 = baseline.strip_suffix(')')?.parse().ok()?;
            // Beyond 2^40 nothing a converter gives is left.
            (gain, Some(baseline).filter(|b| b.unsigned_abs() < 1 << 40)?.into())
        }
        None => (number, None),
    };
    let gain: f64 = gain.parse().ok()?;
    if !gain.is_finite() {
        return None;
    }
    Some(Calibration {
        gain: (gain != 0.0).then_some(gain),
        baseline,
        unit: unit
            .filter(|unit| !unit.is_empty())
            .map(|unit| unit.chars().take(32).collect()),
    })
}
