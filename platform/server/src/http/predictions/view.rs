//! Entries and labels as JSON.

use crate::journaling::is_kept;
use einthoven_journal::labels::{Agreement, Current, Label, Truth, current};
use einthoven_journal::{Arm, Digests, Entry, Journal, JournalError, Latency, Quality, Unit};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// A prediction without its beats.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PredictionItem")]
pub(crate) struct Item {
    id: String,
    at: Timestamp,
    principal: String,
    subject: Option<String>,
    record: Option<String>,
    model: String,
    version: String,
    digests: DigestsOut,
    recipe: String,
    engine: String,
    device: String,
    provider: String,
    parameters: BTreeMap<String, String>,
    arm: Option<ArmOut>,
    latency: Latency,
    sampling_rate_hz: Option<f64>,
    unit: Unit,
    classes: Vec<String>,
    beat_count: usize,
    counts: BTreeMap<String, usize>,
    /// Beats about which nothing was said.
    silent: usize,
    quality: QualityOut,
    labelled: bool,
    recording_kept: bool,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PredictionDigests")]
pub(crate) struct DigestsOut {
    input: String,
    model: String,
    recipe: String,
    plugin: Option<String>,
    answer: String,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PredictionArm")]
pub(crate) struct ArmOut {
    experiment: String,
    arm: String,
    beside: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PredictionQuality")]
pub(crate) struct QualityOut {
    readable_share: Option<f64>,
    flags: Vec<String>,
    figures: BTreeMap<String, f64>,
}

/// A prediction with its beats and everything that was said about it later.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Prediction")]
pub(crate) struct Whole {
    #[serde(flatten)]
    item: Item,
    summary: serde_json::Value,
    beats: Vec<BeatOut>,
    missed: Vec<Held>,
    labels: Vec<LabelOut>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PredictedBeat")]
pub(crate) struct BeatOut {
    at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_s: Option<f64>,
    class: Option<String>,
    probabilities: BTreeMap<String, Option<f64>>,
    #[serde(flatten)]
    held: HeldTruth,
}

/// What holds at one place.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HeldBeat")]
pub(crate) struct Held {
    at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_s: Option<f64>,
    #[serde(flatten)]
    held: HeldTruth,
}

#[derive(Default, Serialize, JsonSchema)]
pub(crate) struct HeldTruth {
    truth: Option<Truth>,
    adjudicated: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    readers: BTreeMap<String, Truth>,
}

/// A label, without the prediction that it is about.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Label")]
pub(crate) struct LabelOut {
    reader: String,
    at: Timestamp,
    key: String,
    why: String,
    source: einthoven_journal::labels::Source,
    adjudication: bool,
    marks: Vec<einthoven_journal::labels::Mark>,
}

/// How far readers agree.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Agreement")]
pub(crate) struct AgreementOut {
    pairs: Vec<PairOut>,
    fleiss: Option<FleissOut>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ReaderPair")]
pub(crate) struct PairOut {
    readers: [String; 2],
    beats: usize,
    agreed: usize,
    kappa: Option<f64>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FleissKappa")]
pub(crate) struct FleissOut {
    kappa: f64,
    readers: usize,
    beats: usize,
}

impl Item {
    pub(super) fn of(journal: &Journal, entry: Entry) -> Self {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for class in entry.beats.class.iter().flatten() {
            if let Some(name) = entry.labels.get(usize::from(*class)) {
                *counts.entry(name.clone()).or_default() += 1;
            }
        }
        let Quality {
            readable_share,
            flags,
            figures,
        } = entry.quality.clone();
        Self {
            labelled: journal.labels().has(entry.id),
            recording_kept: is_kept(journal, &entry),
            id: entry.id.to_string(),
            at: entry.at,
            beat_count: entry.beats.len(),
            silent: entry.beats.class.iter().filter(|class| class.is_none()).count(),
            counts,
            principal: entry.principal,
            subject: entry.subject,
            record: entry.record,
            model: entry.model,
            version: entry.version,
            digests: entry.digests.into(),
            recipe: entry.recipe,
            engine: entry.engine,
            device: entry.device,
            provider: entry.provider,
            parameters: entry.parameters,
            arm: entry.arm.map(ArmOut::from),
            latency: entry.latency,
            sampling_rate_hz: entry.sampling_rate_hz,
            unit: entry.unit,
            classes: entry.labels,
            quality: QualityOut {
                readable_share,
                flags,
                figures,
            },
        }
    }
}

impl Whole {
    pub(super) fn of(journal: &Journal, entry: Entry) -> Result<Self, JournalError> {
        let labels = journal.labels().of(entry.id)?;
        let mut held = current(&labels);
        let rate = entry.sampling_rate_hz;
        let beat = |beat: einthoven_journal::Beat<'_>| BeatOut {
            at: beat.at,
            time_s: seconds(beat.at, rate),
            class: beat.class.map(str::to_owned),
            probabilities: entry
                .labels
                .iter()
                .zip(beat.probabilities)
                .map(|(label, value)| (label.clone(), value.is_finite().then(|| decimal(*value))))
                .collect(),
            held: held.remove(&beat.at).map(HeldTruth::from).unwrap_or_default(),
        };
        let beats = entry.beats().map(beat).collect();
        let missed = held.into_iter().map(|(at, current)| Held::at(at, rate, current));
        Ok(Self {
            beats,
            missed: missed.collect(),
            labels: labels.into_iter().map(LabelOut::from).collect(),
            summary: entry.summary.clone(),
            item: Item::of(journal, entry),
        })
    }
}

impl Held {
    pub(super) fn at(at: u64, rate: Option<f64>, current: Current) -> Self {
        Self {
            at,
            time_s: seconds(at, rate),
            held: current.into(),
        }
    }
}

impl From<Current> for HeldTruth {
    fn from(current: Current) -> Self {
        Self {
            truth: current.truth,
            adjudicated: current.adjudicated,
            readers: current.readers,
        }
    }
}

impl From<Label> for LabelOut {
    fn from(label: Label) -> Self {
        Self {
            reader: label.reader,
            at: label.at,
            key: label.key,
            why: label.why,
            source: label.source,
            adjudication: label.adjudication,
            marks: label.marks,
        }
    }
}

impl From<&Agreement> for AgreementOut {
    fn from(agreement: &Agreement) -> Self {
        let pairs = agreement.pairs().into_iter().map(|pair| PairOut {
            readers: [pair.readers.0, pair.readers.1],
            beats: pair.beats,
            agreed: pair.agreed,
            kappa: pair.kappa,
        });
        Self {
            pairs: pairs.collect(),
            fleiss: agreement
                .fleiss()
                .map(|(kappa, readers, beats)| FleissOut { kappa, readers, beats }),
        }
    }
}

impl From<Digests> for DigestsOut {
    fn from(digests: Digests) -> Self {
        Self {
            input: sha256(&digests.input),
            model: sha256(&digests.model),
            recipe: sha256(&digests.recipe),
            plugin: digests.plugin.as_deref().map(sha256),
            answer: sha256(&digests.answer),
        }
    }
}

impl From<Arm> for ArmOut {
    fn from(arm: Arm) -> Self {
        Self {
            experiment: arm.experiment,
            arm: arm.arm,
            beside: arm.beside.map(|id| id.to_string()),
        }
    }
}

/// A digest as answers write it; nothing stays nothing.
pub(super) fn sha256(hex: &str) -> String {
    if hex.is_empty() {
        return String::new();
    }
    format!("sha256:{hex}")
}

/// Seconds of a beat, as the answer rounded them.
pub(super) fn seconds(at: u64, rate: Option<f64>) -> Option<f64> {
    rate.map(|rate| (at as f64 / rate * 1e4).round() / 1e4)
}

/// The number that the same decimal digits mean in 64 bits.
pub(super) fn decimal(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}
