//! The header: 256 bytes about the file, then 256 bytes about each signal, field by field.

use crate::Note;
use crate::field::{integer, number, shown, text};
use einthoven_plugin_sdk::{Failure, InputFile, ReadHints};

/// Bytes before the signals' part.
const FIXED: usize = 256;

/// What a file says about itself, as far as samples need it.
pub(crate) struct Header<'b> {
    /// The file's name, fit to be printed.
    pub(crate) file: String,
    /// Bytes of a sample: 2 in EDF, 3 in BDF.
    pub(crate) width: usize,
    /// Whether data records may lie apart in time (`EDF+D`).
    pub(crate) discontinuous: bool,
    /// In their order in a data record.
    pub(crate) signals: Vec<Signal<'b>>,
    /// Bytes of one data record.
    pub(crate) record_bytes: usize,
    /// Everything after the header.
    pub(crate) data: &'b [u8],
    /// Seconds of one data record; 0 where the file does not say.
    record_s: f64,
    /// Data records declared, -1 where the file was never closed.
    declared: i64,
}

/// What the header says about one signal.
pub(crate) struct Signal<'b> {
    /// From 0.
    pub(crate) index: usize,
    pub(crate) label: String,
    /// The unit as written; may be empty.
    pub(crate) dimension: String,
    /// Physical minimum and maximum, then digital minimum and maximum, undecoded.
    pub(crate) range: [&'b [u8]; 4],
    /// Samples in one data record.
    pub(crate) per_record: usize,
    /// Bytes before the signal in a data record.
    pub(crate) offset: usize,
}

impl Signal<'_> {
    /// Whether this is the list of annotations of EDF+ and BDF+.
    pub(crate) fn is_annotations(&self) -> bool {
        matches!(
            self.label.to_ascii_lowercase().as_str(),
            "edf annotations" | "bdf annotations"
        )
    }
}

/// Bytes of a sample by the file's first field, `None` when it is neither EDF nor BDF.
fn width(bytes: &[u8]) -> Option<usize> {
    let version = bytes.get(..8)?;
    if version == b"\xffBIOSEMI" {
        return Some(3);
    }
    let padded = version[1..].iter().all(|byte| matches!(byte, b' ' | 0));
    (version[0] == b'0' && padded).then_some(2)
}

/// Whether a file starts like EDF or BDF and either is named so or counts its signals where those formats do.
pub(crate) fn recognised(file: &InputFile<'_>) -> bool {
    let ending = file.name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let named = ["edf", "bdf"].iter().any(|known| ending.eq_ignore_ascii_case(known));
    let counted = || {
        let count = integer(file.bytes.get(252..FIXED)?)?;
        Some(count > 0 && integer(file.bytes.get(184..192)?)? == 256 * (count + 1))
    };
    width(file.bytes).is_some() && (named || counted() == Some(true))
}

impl<'b> Header<'b> {
    pub(crate) fn parse(file: &InputFile<'b>) -> Result<Self, Failure> {
        let name = shown(file.name);
        let bad = |place: &str, what: &str| Failure::invalid(format!("{name}, {place}: {what}"));
        let Some((fixed, _)) = file.bytes.split_at_checked(FIXED) else {
            return Err(bad("header", "the file ends inside its header; send the whole file"));
        };
        let Some(width) = width(fixed) else {
            return Err(bad("version", "neither EDF nor BDF; send the recorder's own file"));
        };
        // Values are not quoted: in a shifted header they could be a part of the patient's name.
        let count = integer(&fixed[252..])
            .and_then(|count| usize::try_from(count).ok())
            .filter(|count| *count > 0)
            .ok_or_else(|| bad("number of signals", "not a whole number above zero"))?;
        let length = FIXED.saturating_mul(count.saturating_add(1));
        let stated = &fixed[184..192];
        if !text(stated).is_empty() && integer(stated).and_then(|n| usize::try_from(n).ok()) != Some(length) {
            let what = format!("not {length}, which {count} signals need; the header is damaged");
            return Err(bad("number of header bytes", &what));
        }
        let Some((head, data)) = file.bytes.split_at_checked(length) else {
            let what = format!("the file ends before the {count} signals of its header; send the whole file");
            return Err(bad("header", &what));
        };
        let declared = integer(&fixed[236..244]).ok_or_else(|| bad("number of data records", "not a whole number"))?;
        if declared < -1 {
            return Err(bad("number of data records", "below -1"));
        }
        let record_s = number(&fixed[244..252])
            .filter(|seconds| *seconds >= 0.0)
            .ok_or_else(|| bad("duration of a data record", "not a number of seconds"))?;

        let mut signals = Vec::with_capacity(count);
        let mut offset = 0_usize;
        for index in 0..count {
            // The fields of all signals lie together; `before` is the width of the fields in front of this one.
            let field = |before: usize, bytes: usize| {
                let start = FIXED + before * count + bytes * index;
                &head[start..start + bytes]
            };
            let label = match text(field(0, 16)).as_str() {
                "" => format!("signal {index}"),
                label => label.to_owned(),
            };
            let per_record = integer(field(216, 8)).and_then(|samples| usize::try_from(samples).ok());
            let Some((per_record, next)) =
                per_record.and_then(|samples| Some((samples, samples.checked_mul(width)?.checked_add(offset)?)))
            else {
                let place = format!("samples per data record of signal {index} \"{}\"", shown(&label));
                return Err(bad(&place, "not a whole number of samples"));
            };
            signals.push(Signal {
                index,
                label,
                dimension: text(field(96, 8)),
                range: [field(104, 8), field(112, 8), field(120, 8), field(128, 8)],
                per_record,
                offset,
            });
            offset = next;
        }
        Ok(Self {
            file: name,
            width,
            discontinuous: fixed[192..197].eq_ignore_ascii_case(b"EDF+D")
                || fixed[192..197].eq_ignore_ascii_case(b"BDF+D"),
            signals,
            record_bytes: offset,
            data,
            record_s,
            declared,
        })
    }

    /// A failure that names the file and the place.
    pub(crate) fn bad(&self, place: &str, what: &str) -> Failure {
        Failure::invalid(format!("{}, {place}: {what}", self.file))
    }

    /// Samples per second of signals with so many samples in a data record; a stated rate must agree to a thousandth.
    pub(crate) fn sampling_rate(&self, per_record: usize, hints: &ReadHints) -> Result<f64, Failure> {
        if self.record_s == 0.0 {
            return hints.sampling_rate_hz.ok_or_else(|| {
                Failure::invalid(format!(
                    "{}: the duration of a data record is 0, so the sampling rate is not known; give it as `rate` \
                     (samples per second, such as 360)",
                    self.file
                ))
            });
        }
        let rate = per_record as f64 / self.record_s;
        if !(rate.is_finite() && rate > 0.0) {
            return Err(self.bad("duration of a data record", "gives no sampling rate"));
        }
        match hints.sampling_rate_hz {
            Some(stated) if (stated - rate).abs() > 1e-3 * rate => Err(Failure::invalid(format!(
                "{}: the file says sampling rate {rate} Hz but {stated} Hz was stated; leave the statement out or \
                 correct it",
                self.file
            ))),
            _ => Ok(rate),
        }
    }

    /// How many data records are read, and what is to be said about that.
    pub(crate) fn whole_records(&self) -> Result<(usize, Vec<Note>), Failure> {
        let present = self.data.len().checked_div(self.record_bytes).unwrap_or(0);
        let rest = self.data.len().checked_rem(self.record_bytes).unwrap_or(0);
        if present == 0 {
            return Err(self.bad(
                "data",
                "the file ends before its first data record does; send the whole file",
            ));
        }
        let mut notes = Vec::new();
        let mut note = |code, detail| notes.push(Note { code, detail });
        // Recorders write -1 (some 0) until they close the file.
        let declared = usize::try_from(self.declared).unwrap_or(0);
        if declared == 0 {
            note(
                "length_from_file",
                format!("{}: the header gives no length; the file's size was taken.", self.file),
            );
            if rest > 0 {
                note(
                    "truncated",
                    format!("{}: the file ends inside a data record, which was left out.", self.file),
                );
            }
            return Ok((present, notes));
        }
        if present < declared {
            note(
                "truncated",
                format!(
                    "{}: {declared} data records are declared and {present} are present; those were read.",
                    self.file
                ),
            );
        } else if present > declared || rest > 0 {
            note(
                "longer_than_declared",
                format!(
                    "{}: {} bytes after the {declared} declared data records were left out.",
                    self.file,
                    (present - declared) * self.record_bytes + rest
                ),
            );
        }
        Ok((present.min(declared), notes))
    }
}
