//! The reader trait: files in, leads in millivolts out.

use crate::failure::Failure;
use crate::setup::Setup;

/// Reads recordings of one file format.
///
/// [`export_reader!`](crate::export_reader) turns the type into a plugin.
pub trait Reader: Send + Sync + Sized + 'static {
    /// Name, version and the endings of its files.
    const INFO: ReaderInfo;

    /// Opens the reader.
    ///
    /// # Errors
    /// When something it needs is not there.
    fn open(setup: &Setup<'_>) -> Result<Self, Failure>;

    /// Whether these files are of its format, by their content; names are only a hint.
    fn recognises(&self, files: &[InputFile<'_>]) -> bool;

    /// Reads one recording.
    ///
    /// Nothing may be assumed: a sampling rate or unit that neither the file, its format's specification nor the caller
    /// states is a failure that names the field. Names of persons, birth dates and free text stay in the file.
    ///
    /// # Errors
    /// `InvalidArgument` saying which field of which file is wrong or missing; the host answers 422 with that sentence.
    /// What the caller could state is named `rate`, `unit` or `record`, in backticks, and the page then asks for it.
    fn read(&self, files: &[InputFile<'_>], hints: &ReadHints, sink: &mut dyn RecordingSink) -> Result<(), Failure>;
}

/// What a reader is, asked once and shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReaderInfo {
    /// `edf`, ...: lower case letters, digits and `-`; becomes the recording's `format`.
    pub name: &'static str,
    /// Of the plugin.
    pub version: &'static str,
    /// File endings people use for it, without the dot, lower case.
    pub formats: &'static [&'static str],
}

/// One uploaded file.
#[derive(Debug, Clone, Copy)]
pub struct InputFile<'a> {
    /// The last component of the name it was uploaded under.
    pub name: &'a str,
    /// Its content.
    pub bytes: &'a [u8],
}

/// What the caller states where files are silent; a contradiction with the file is an error.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReadHints {
    /// Samples per second.
    pub sampling_rate_hz: Option<f64>,
    /// Millivolts in one unit of the samples.
    pub millivolts_per_unit: Option<f64>,
    /// Which recording, where the files hold several.
    pub record: Option<String>,
}

/// The host's side of one reading: it owns all memory and bounds it.
pub trait RecordingSink {
    /// States the recording's name (of the record, never a person's) and its sampling rate in hertz; first, and once.
    ///
    /// # Errors
    /// `InvalidArgument` for a rate that is not above zero and finite.
    fn begin(&mut self, record: &str, sampling_rate_hz: f64) -> Result<(), Failure>;

    /// A zeroed buffer of `samples` values for the next lead, to be filled with millivolts, NaN where the recorder marked
    /// a sample invalid. `rails_mv` are the lowest and highest value the converter can give, where the format says.
    ///
    /// # Errors
    /// `ResourceExhausted` above the host's bounds, `InvalidArgument` before `begin` or for another length than the first
    /// lead's.
    fn lead(&mut self, name: &str, samples: usize, rails_mv: Option<(f32, f32)>) -> Result<&mut [f32], Failure>;

    /// Something noticed that does not stop the reading: a stable `snake_case` code and one sentence.
    fn flag(&mut self, code: &str, detail: &str);
}
