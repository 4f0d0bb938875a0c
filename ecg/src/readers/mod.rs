//! Bytes to a recording: WFDB records and CSV as people have it.
//!
//! [`read`] looks at what it is given and picks the reader. Readers take bytes, never paths, and answer a
//! [`Reading`] in millivolts or a [`ReadError`] that says what to do. Nothing is assumed: what neither the file, its
//! format's specification nor the caller ([`Hints`]) says is asked for.

mod csv;
mod error;
mod files;
mod wfdb;

pub use error::ReadError;

use crate::annotation::Annotation;
use crate::beat::BeatClass;
use crate::recording::{Flag, Recording};
use error::shown;
use files::Files;

/// One uploaded file.
#[derive(Debug, Clone, Copy)]
pub struct NamedFile<'a> {
    /// The name as uploaded; only its last path component is ever used.
    pub name: &'a str,
    /// The content.
    pub bytes: &'a [u8],
}

/// A unit of voltage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// A thousandth of a volt, the unit of every [`Recording`].
    Millivolt,
    /// A millionth of a volt.
    Microvolt,
    /// One volt.
    Volt,
    /// A billionth of a volt.
    Nanovolt,
}

impl Unit {
    /// The unit of that name: `mV`, `uV` (or with a micro sign), `V`, `nV`, `millivolts`; case does not matter.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        // U+00B5 is the micro sign, U+03BC the Greek letter; both are in use.
        let key = name.trim().to_lowercase().replace(['\u{b5}', '\u{3bc}'], "u");
        Some(match key.as_str() {
            "mv" | "millivolt" | "millivolts" => Self::Millivolt,
            "uv" | "microvolt" | "microvolts" => Self::Microvolt,
            "v" | "volt" | "volts" => Self::Volt,
            "nv" | "nanovolt" | "nanovolts" => Self::Nanovolt,
            _ => return None,
        })
    }

    /// The unit's symbol in ASCII.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Millivolt => "mV",
            Self::Microvolt => "uV",
            Self::Volt => "V",
            Self::Nanovolt => "nV",
        }
    }

    /// Millivolts in one of this unit.
    #[must_use]
    pub fn millivolts(self) -> f64 {
        match self {
            Self::Millivolt => 1.0,
            Self::Microvolt => 1e-3,
            Self::Volt => 1e3,
            Self::Nanovolt => 1e-6,
        }
    }
}

/// What the caller states about the files. Used where the files are silent; a contradiction is an error.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Hints {
    /// Samples per second.
    pub sampling_rate_hz: Option<f64>,
    /// The unit of the samples.
    pub unit: Option<Unit>,
    /// Which recording, where the files hold several.
    pub record: Option<String>,
}

/// What a reader may spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Leads times samples, decoded; four bytes of memory each.
    pub max_samples: u64,
    /// Leads.
    pub max_leads: usize,
}

impl Default for Limits {
    /// 250 million samples (1 GB of memory), a day of eight leads at 360 Hz; 64 leads.
    fn default() -> Self {
        Self {
            max_samples: 250_000_000,
            max_leads: 64,
        }
    }
}

/// What the files hold.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A recording: leads in time.
    Recording(Recording),
    /// Single beats cut and scaled by somebody else.
    BeatRows(BeatRows),
}

/// Rows of the Kaggle heartbeat set: one beat each, scaled to 0..1, at 125 Hz nominal; what they were cut from is
/// unknown.
#[derive(Debug, Clone, PartialEq)]
pub struct BeatRows {
    /// The file's name without its extension.
    pub name: String,
    /// One row per beat, as it stands in the file.
    pub rows: Vec<[f32; 187]>,
    /// The class of each row, where the file has a 188th column.
    pub labels: Option<Vec<BeatClass>>,
    /// What a reader of the result must know.
    pub flags: Vec<Flag>,
}

/// What was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The signal.
    pub input: Input,
    /// The reference annotations of a `.atr` file beside the record, their samples at the recording's rate.
    pub annotations: Option<Vec<Annotation>>,
}

/// Reads one recording from the files that make it up.
///
/// A `.hea` among them means a WFDB record; otherwise one text file is read as CSV. Files that belong to no recording
/// are ignored.
///
/// # Errors
///
/// [`ReadError`] names the file, the place, what was wrong and what to do.
pub fn read(files: &[NamedFile<'_>], hints: &Hints, limits: &Limits) -> Result<Reading, ReadError> {
    if let Some(rate) = hints.sampling_rate_hz
        && !(rate.is_finite() && rate > 0.0)
    {
        return Err(ReadError::InvalidField {
            field: "sampling_rate",
            value: rate.to_string(),
            why: "is not a number above zero".to_owned(),
        });
    }
    let files = Files::new(files);
    if files.with_extension("hea").next().is_some() {
        wfdb::read(&files, hints, limits)
    } else {
        let file = files.only_table(hints)?;
        let mut reading = csv::read(&file, hints, limits)?;
        if let Input::Recording(recording) = &reading.input {
            reading.annotations = wfdb::annotations_beside(&files, &recording.name, None, recording)?;
        }
        Ok(reading)
    }
}

/// Fails where the caller stated another rate than the file; a thousandth is rounding.
fn agree_on_rate(file: &str, in_file: f64, hints: &Hints) -> Result<(), ReadError> {
    match hints.sampling_rate_hz {
        Some(stated) if (stated - in_file).abs() > 1e-3 * in_file => Err(ReadError::Contradiction {
            file: shown(file),
            field: "sampling_rate",
            in_file: format!("{in_file} Hz"),
            stated: format!("{stated} Hz"),
        }),
        _ => Ok(()),
    }
}

/// Fails where the caller stated another unit than the file.
fn agree_on_unit(file: &str, in_file: Unit, hints: &Hints) -> Result<(), ReadError> {
    match hints.unit {
        Some(stated) if stated != in_file => Err(ReadError::Contradiction {
            file: shown(file),
            field: "unit",
            in_file: in_file.name().to_owned(),
            stated: stated.name().to_owned(),
        }),
        _ => Ok(()),
    }
}

impl Flag {
    /// Of a lead whose name says nothing about where it was taken.
    #[must_use]
    pub fn lead_name_unknown(name: &str) -> Self {
        Self {
            code: "lead_name_unknown".into(),
            detail: format!(
                "The lead name \"{}\" does not say where the lead was taken.",
                shown(name)
            ),
        }
    }
}
