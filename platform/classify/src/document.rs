//! The answer: one document for the page, the API and the command line.

use crate::model::ServedModel;
use einthoven_ecg::beat::BeatClass;
use einthoven_ecg::quality::{Grade, Reason};
use einthoven_ecg::recording::{Flag, Recording};
use einthoven_ecg::rhythm::Summary;
use schemars::JsonSchema;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Every beat of a recording, classified, and what follows from them.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Classification")]
pub struct Document {
    /// Set where the recording is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its entry in the journal; set where it is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prediction: Option<String>,
    /// What the result may be used for.
    pub notice: &'static str,
    /// What was read.
    pub recording: RecordingOut,
    /// What classified it.
    pub model: ModelOut,
    /// The lead that was classified.
    pub lead: String,
    /// In order of time.
    pub beats: Vec<BeatOut>,
    /// Spans in which nothing is said.
    pub unreadable: Vec<SpanOut>,
    /// Ten seconds each.
    pub quality: Vec<WindowOut>,
    /// The report.
    pub summary: Summary,
}

/// What was read.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Recording")]
pub struct RecordingOut {
    /// The record's name.
    pub name: String,
    /// The reader's name.
    pub format: Cow<'static, str>,
    /// Samples per second.
    pub sampling_rate_hz: f64,
    /// Samples per lead.
    pub samples: usize,
    /// Seconds.
    pub duration_s: f64,
    /// All leads.
    pub leads: Vec<LeadOut>,
    /// What a reader of the result must know.
    pub flags: Vec<Flag>,
}

/// A lead by its name and meaning.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Lead")]
pub struct LeadOut {
    /// As the file gives it.
    pub name: String,
    /// What the name means; `null` when it says nothing.
    pub standard: Option<einthoven_ecg::recording::StandardLead>,
}

/// What classified it: enough to find the very same model again.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "AnsweringModel")]
pub struct ModelOut {
    /// The model.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Of the version's content.
    pub digest: String,
    /// The preprocessing.
    pub recipe: String,
    /// What ran it.
    pub engine: String,
    /// Where it was told to run.
    pub device: String,
    /// What really computed, in the engine's words.
    pub provider: String,
    /// Classes it knows.
    pub labels: Vec<String>,
}

/// One heartbeat.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Beat")]
pub struct BeatOut {
    /// The R peak's sample in the recording.
    pub sample: usize,
    /// The same in seconds.
    pub time_s: f64,
    /// `null` in an unreadable span.
    pub class: Option<BeatClass>,
    /// By label, calibrated; absent in an unreadable span.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probabilities: Option<Probabilities>,
    /// How far to trust it.
    pub quality: Grade,
}

/// By label.
pub type Probabilities = BTreeMap<BeatClass, f64>;

/// A span in which nothing is said, and why.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "UnreadableSpan")]
pub struct SpanOut {
    /// Seconds.
    pub start_s: f64,
    /// Seconds.
    pub end_s: f64,
    /// What was wrong with the signal.
    pub reasons: Vec<Reason>,
}

/// Ten seconds of signal and their quality indices.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "QualityWindow")]
pub struct WindowOut {
    /// Seconds.
    pub start_s: f64,
    /// Seconds.
    pub end_s: f64,
    /// The verdict.
    pub grade: Grade,
    /// What was wrong.
    pub reasons: Vec<Reason>,
    /// Kurtosis.
    pub k_sqi: Option<f64>,
    /// Share of 5-15 Hz in 5-40 Hz.
    pub p_sqi: Option<f64>,
    /// One minus the share of 0-1 Hz in 0-40 Hz.
    pub bas_sqi: Option<f64>,
    /// Share of beats two detectors agree on.
    pub agreement: Option<f64>,
}

/// The answer for rows that each hold one beat.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "RowsClassification")]
pub struct RowsDocument {
    /// Its entry in the journal; set where it is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prediction: Option<String>,
    /// What the result may be used for.
    pub notice: &'static str,
    /// What was read.
    pub recording: RowsOut,
    /// What classified it.
    pub model: ModelOut,
    /// In the file's order.
    pub rows: Vec<RowOut>,
    /// Rows of each class.
    pub counts: BTreeMap<BeatClass, usize>,
}

/// A file of rows.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "RowsRecording")]
pub struct RowsOut {
    /// The file's name without its ending.
    pub name: String,
    /// `kaggle-rows`.
    pub format: Cow<'static, str>,
    /// How many.
    pub rows: usize,
    /// What a reader of the result must know.
    pub flags: Vec<Flag>,
}

/// One row.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Row")]
pub struct RowOut {
    /// From one.
    pub row: usize,
    /// The likeliest class.
    pub class: BeatClass,
    /// By label.
    pub probabilities: Probabilities,
}

impl ModelOut {
    pub(crate) fn of(model: &ServedModel) -> Self {
        let manifest = model.manifest();
        Self {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            digest: model.digest().to_owned(),
            recipe: manifest.recipe.clone().unwrap_or_default(),
            engine: model.engine().to_owned(),
            device: model.device().to_string(),
            provider: model.provider().to_owned(),
            labels: manifest.labels.clone(),
        }
    }
}

impl RecordingOut {
    pub(crate) fn of(recording: &Recording) -> Self {
        Self {
            name: recording.name.clone(),
            format: recording.format.clone(),
            sampling_rate_hz: recording.sampling_rate_hz,
            samples: recording.len(),
            duration_s: rounded(recording.duration_s(), 1e4),
            leads: recording
                .leads
                .iter()
                .map(|lead| LeadOut {
                    name: lead.name.clone(),
                    standard: lead.standard,
                })
                .collect(),
            flags: recording.flags.clone(),
        }
    }
}

/// Rounded to one part in `steps`; keeps documents of 100,000 beats readable and small.
pub(crate) fn rounded(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}
