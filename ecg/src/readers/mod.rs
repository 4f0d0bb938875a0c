//! Bytes to a recording, or a clear refusal.
//!
//! [`read`] finds the reader by content. Nothing is assumed: where a file does not say its sampling rate or unit, the
//! caller must, by [`Hints`].

mod csv;
mod error;
mod wfdb;

use crate::annotation::{self, Annotation};
use crate::beat::BeatClass;
use crate::recording::{Flag, Recording};
pub use error::ReadError;

/// One uploaded file.
#[derive(Debug, Clone, Copy)]
pub struct NamedFile<'a> {
    /// Its name; only the part after the last path separator is ever used.
    pub name: &'a str,
    /// Its content.
    pub bytes: &'a [u8],
}

impl NamedFile<'_> {
    fn base(&self) -> &str {
        self.name.rsplit(['/', '\\']).next().unwrap_or(self.name)
    }

    /// The name without its ending.
    fn stem(&self) -> &str {
        let base = self.base();
        base.rsplit_once('.').map_or(base, |(stem, _)| stem)
    }
}

/// Unit of samples as a caller may state it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the units' own names")]
pub enum Unit {
    Volt,
    Millivolt,
    Microvolt,
    Nanovolt,
}

impl Unit {
    /// The unit of that name: `V`, `mV`, `uV` (also with the micro sign), `nV`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name.trim() {
            "V" | "v" | "volt" | "volts" => Self::Volt,
            "mV" | "mv" | "MV" | "millivolt" | "millivolts" => Self::Millivolt,
            "uV" | "uv" | "UV" | "\u{b5}V" | "\u{3bc}V" | "\u{b5}v" | "microvolt" | "microvolts" => Self::Microvolt,
            "nV" | "nv" | "NV" | "nanovolt" | "nanovolts" => Self::Nanovolt,
            _ => return None,
        })
    }

    /// Millivolts of one of it.
    #[must_use]
    pub fn millivolts(self) -> f64 {
        match self {
            Self::Volt => 1e3,
            Self::Millivolt => 1.0,
            Self::Microvolt => 1e-3,
            Self::Nanovolt => 1e-6,
        }
    }

    fn symbol(self) -> &'static str {
        match self {
            Self::Volt => "V",
            Self::Millivolt => "mV",
            Self::Microvolt => "uV",
            Self::Nanovolt => "nV",
        }
    }
}

/// What the caller states about the files.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    /// Samples per second.
    pub sampling_rate_hz: Option<f64>,
    /// Unit of the samples.
    pub unit: Option<Unit>,
    /// Which record, where the files hold several.
    pub record: Option<String>,
}

/// Bounds that are checked before memory is taken.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Decoded samples of all leads together; four bytes each.
    pub max_samples: u64,
    /// Leads, or columns of a table.
    pub max_leads: usize,
}

impl Default for Limits {
    /// 250 million samples (1 GB): a day of eight leads at 360 Hz. 64 leads.
    fn default() -> Self {
        Self {
            max_samples: 250_000_000,
            max_leads: 64,
        }
    }
}

/// What a file held.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Leads over time.
    Recording(Recording),
    /// Single beats without time.
    BeatRows(BeatRows),
}

/// Rows of 187 values, one beat each, as the Kaggle heartbeat set has them. Which recorder and patient they come from is
/// not known.
#[derive(Debug, Clone, PartialEq)]
pub struct BeatRows {
    /// The file's name without its ending.
    pub name: String,
    /// 0 to 1, padded with zeros.
    pub rows: Vec<[f32; 187]>,
    /// The 188th value of each row, where there is one.
    pub labels: Option<Vec<BeatClass>>,
    /// What a reader of the result must know.
    pub flags: Vec<Flag>,
}

/// What was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The recording or rows.
    pub input: Input,
    /// Reference annotations that lay beside a WFDB record (`.atr`), at the recording's sampling rate.
    pub annotations: Option<Vec<Annotation>>,
}

/// Reads the files of one recording.
///
/// # Errors
/// [`ReadError`], which names the file or field, what was wrong and what to do.
pub fn read(files: &[NamedFile<'_>], hints: &Hints, limits: &Limits) -> Result<Reading, ReadError> {
    if files.is_empty() || files.iter().all(|file| file.bytes.is_empty()) {
        let name = files.first().map_or("", |file| file.base());
        return Err(ReadError::EmptyFile { name: name.to_owned() });
    }
    let has_ending = |file: &NamedFile<'_>, ending: &str| {
        file.base()
            .rsplit_once('.')
            .is_some_and(|(_, found)| found.eq_ignore_ascii_case(ending))
    };
    if files.iter().any(|file| has_ending(file, "hea")) {
        let recording = wfdb::read(files, hints, limits)?;
        let annotations = files
            .iter()
            .find(|file| has_ending(file, "atr") && file.stem() == recording.name)
            .map(|file| reference(file, recording.sampling_rate_hz))
            .transpose()?;
        return Ok(Reading {
            input: Input::Recording(recording),
            annotations,
        });
    }
    if let Some(file) = files
        .iter()
        .find(|file| has_ending(file, "dat") && csv::text(file.bytes).is_none())
    {
        return Err(ReadError::MissingFile {
            name: format!("{}.hea", file.stem()),
            why: format!("`{}` holds samples whose format only a header tells", file.base()),
        });
    }
    let chosen: Vec<_> = match &hints.record {
        Some(record) => files
            .iter()
            .filter(|file| file.stem() == record || file.base() == record)
            .collect(),
        None => files.iter().collect(),
    };
    match chosen.as_slice() {
        [file] => Ok(Reading {
            input: csv::read(file, hints, limits)?,
            annotations: None,
        }),
        [] => Err(ReadError::NoSuchRecord {
            asked: hints.record.clone().unwrap_or_default(),
            there: files.iter().map(|file| file.base().to_owned()).collect(),
        }),
        several => Err(ReadError::SeveralRecordings {
            names: several.iter().map(|file| file.base().to_owned()).collect(),
        }),
    }
}

/// Reference annotations, brought to the recording's rate where their file counts in another.
fn reference(file: &NamedFile<'_>, rate_hz: f64) -> Result<Vec<Annotation>, ReadError> {
    let mut annotations =
        annotation::decode(file.bytes).map_err(|cause| ReadError::malformed(file.base(), cause.to_string()))?;
    if let Some(ticks) = annotation::time_resolution(&annotations) {
        for annotation in &mut annotations {
            annotation.sample = (annotation.sample as f64 * rate_hz / ticks).round() as u64;
        }
    }
    Ok(annotations)
}
