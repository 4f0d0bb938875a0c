//! An entry: one prediction and everything that is needed to make it again.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use uuid::Uuid;

/// One prediction.
///
/// Texts are stored as they are given: whoever makes an entry keeps names of people out of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// A UUID of version 7: the answer carries it.
    pub id: Uuid,
    /// When the request came.
    pub at: Timestamp,
    /// Who asked, as the audit trail names them.
    pub principal: String,
    /// A pseudonym of the person; erasing works by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The record's name, where one is known that says nothing about a person; keeps recordings apart for splitting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// The model that was asked.
    pub model: String,
    /// The version that answered.
    pub version: String,
    /// What went in and what computed, by content.
    pub digests: Digests,
    /// The name of the recipe.
    pub recipe: String,
    /// What ran the network.
    pub engine: String,
    /// Where it was told to run.
    pub device: String,
    /// What really computed, in the engine's words.
    #[serde(default)]
    pub provider: String,
    /// What else the request said that changes the answer (the lead, a sampling rate), by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// The experiment that it took part in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm: Option<Arm>,
    /// How long it took.
    pub latency: Latency,
    /// Samples per second of the recording, where it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling_rate_hz: Option<f64>,
    /// The classes that the model knows, in the order of the probabilities.
    pub labels: Vec<String>,
    /// What a class was given to.
    pub unit: Unit,
    /// What was said about each beat or row.
    pub beats: Beats,
    /// How far the input could be read.
    pub quality: Quality,
    /// The report, as the answer showed it.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub summary: serde_json::Value,
}

/// SHA-256 in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Digests {
    /// Of the bytes that were uploaded.
    pub input: String,
    /// Of the version's content.
    pub model: String,
    /// Of the recipe, as the version's manifest states it.
    pub recipe: String,
    /// Of the plugin that computed; absent for an engine that is linked in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// Of the answer, without what differs every time: its id and times.
    pub answer: String,
}

/// The arm of an experiment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arm {
    /// The experiment.
    pub experiment: String,
    /// The arm's name in it.
    pub arm: String,
    /// The prediction that this one computed beside, for a shadow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<Uuid>,
}

/// Microseconds by part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    /// From the whole request to the answer.
    pub total_us: u64,
    /// Reading the file.
    #[serde(default)]
    pub read_us: u64,
    /// Detection, quality and recipe.
    #[serde(default)]
    pub prepare_us: u64,
    /// Waiting for an instance.
    #[serde(default)]
    pub queue_us: u64,
    /// In the engine.
    #[serde(default)]
    pub compute_us: u64,
}

/// What a class was given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PredictionUnit")]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Beats; `at` is the R peak's sample in the recording.
    Beats,
    /// Rows of a table; `at` is the row, from one.
    Rows,
    /// Rows of tensors; `at` is the row, from one.
    Tensors,
}

/// How far the input could be read.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Quality {
    /// Between 0 and 1; absent where nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readable_share: Option<f64>,
    /// What a reader of the result must know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    /// Further figures by name; what is not finite is not kept.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        serialize_with = "finite_figures"
    )]
    pub figures: BTreeMap<String, f64>,
}

/// Beats or rows, one column each.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Beats {
    /// Samples or rows.
    pub at: Vec<u64>,
    /// The class of each as a position in the entry's labels; none where nothing was said.
    pub class: Vec<Option<u16>>,
    /// The probabilities of those that have a class, one after the other, each as many as there are labels; or empty.
    #[serde(serialize_with = "finite", deserialize_with = "or_nan", default)]
    pub probabilities: Vec<f32>,
}

/// One beat or row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beat<'a> {
    /// The sample or row.
    pub at: u64,
    /// The class; none where nothing was said.
    pub class: Option<&'a str>,
    /// By label; empty where none were given.
    pub probabilities: &'a [f32],
    /// The probability of the class.
    pub probability: Option<f32>,
}

impl Beats {
    /// Adds a beat; `class` is a position in the entry's labels.
    pub fn push(&mut self, at: u64, class: Option<u16>, probabilities: &[f32]) {
        self.at.push(at);
        self.class.push(class);
        if class.is_some() {
            self.probabilities.extend_from_slice(probabilities);
        }
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.at.len()
    }

    /// None at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.at.is_empty()
    }
}

impl Entry {
    /// Every beat, in the order in which they were recorded.
    pub fn beats(&self) -> impl Iterator<Item = Beat<'_>> {
        let mut given = if self.beats.probabilities.is_empty() {
            [].chunks(1)
        } else {
            self.beats.probabilities.chunks(self.labels.len().max(1))
        };
        self.beats.at.iter().zip(&self.beats.class).map(move |(at, class)| {
            let probabilities = class.and_then(|_| given.next()).unwrap_or_default();
            Beat {
                at: *at,
                class: class.and_then(|class| self.labels.get(usize::from(class)).map(String::as_str)),
                probabilities,
                probability: class.and_then(|class| probabilities.get(usize::from(class)).copied()),
            }
        })
    }

    /// What recordings of one person have in common, as far as is known: subject, else record, else the input itself.
    #[must_use]
    pub fn group(&self) -> &str {
        let known = self.subject.as_deref().or(self.record.as_deref());
        known.unwrap_or(&self.digests.input)
    }

    /// Whether columns and labels fit together.
    ///
    /// # Errors
    /// What does not.
    pub fn check(&self) -> Result<(), &'static str> {
        let beats = &self.beats;
        if beats.at.len() != beats.class.len() {
            return Err("it has not as many classes as beats");
        }
        let mut classified = 0;
        for class in beats.class.iter().flatten() {
            classified += 1;
            if usize::from(*class) >= self.labels.len() {
                return Err("a beat has a class that is not among the labels");
            }
        }
        if !beats.probabilities.is_empty() && beats.probabilities.len() != classified * self.labels.len() {
            return Err("it has not one probability for each label of each classified beat");
        }
        Ok(())
    }

    /// About how many bytes it takes in memory: what the buffer's bound counts.
    pub(crate) fn cost(&self) -> usize {
        let texts = [
            self.principal.len(),
            self.subject.as_ref().map_or(0, String::len),
            self.record.as_ref().map_or(0, String::len),
            self.model.len() + self.version.len() + self.recipe.len(),
            self.engine.len() + self.device.len() + self.provider.len(),
            self.parameters
                .iter()
                .map(|(key, value)| key.len() + value.len() + 96)
                .sum(),
            // A tree of JSON: what it is written as says enough about what it takes.
            json_cost(&self.summary),
            self.quality.flags.iter().map(|flag| flag.len() + 24).sum(),
            self.quality.figures.keys().map(|name| name.len() + 64).sum(),
            self.labels.iter().map(|label| label.len() + 24).sum(),
        ];
        let columns =
            self.beats.at.capacity() * 8 + self.beats.class.capacity() * 4 + self.beats.probabilities.capacity() * 4;
        size_of::<Self>() + 5 * 64 + texts.iter().sum::<usize>() + columns
    }
}

fn json_cost(value: &serde_json::Value) -> usize {
    use serde_json::Value;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 32,
        Value::String(text) => 32 + text.len(),
        Value::Array(items) => 32 + items.iter().map(json_cost).sum::<usize>(),
        Value::Object(fields) => {
            32 + fields
                .iter()
                .map(|(key, value)| 64 + key.len() + json_cost(value))
                .sum::<usize>()
        }
    }
}

/// JSON knows no NaN: what is not finite is `null`.
fn finite<S: Serializer>(values: &[f32], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(|value| value.is_finite().then_some(*value)))
}

fn finite_figures<S: Serializer>(figures: &BTreeMap<String, f64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(figures.iter().filter(|(_, value)| value.is_finite()))
}

fn or_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f32>, D::Error> {
    let values = Vec::<Option<f32>>::deserialize(deserializer)?;
    Ok(values.into_iter().map(|value| value.unwrap_or(f32::NAN)).collect())
}
