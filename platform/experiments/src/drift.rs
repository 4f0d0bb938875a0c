//! Whether recordings, or what is said about them, have become others than those of a reference window.
//!
//! The unit is the recording: every figure is one number for each (its rate, its quality, the share of its beats called V). Pooled over
//! beats, every new patient would be an alarm.

use crate::stats::{ks, stream};
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A recording's figures by name.
pub type Figures = BTreeMap<String, f64>;

/// What recordings were like: of each figure the values, in ascending order, so that no recording can be put together from it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// Recordings that it was made of.
    pub recordings: u64,
    /// By name.
    pub figures: BTreeMap<String, Vec<f64>>,
}

impl Reference {
    /// Of these recordings; what is not finite is left out.
    #[must_use]
    pub fn of(recordings: &[Figures]) -> Self {
        let mut figures: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for (name, value) in recordings.iter().flatten() {
            let values = figures.entry(name.clone()).or_default();
            values.extend(Some(*value).filter(|value| value.is_finite()));
        }
        for values in figures.values_mut() {
            values.sort_by(f64::total_cmp);
        }
        Self {
            recordings: recordings.len() as u64,
            figures,
        }
    }
}

/// Bins of the population stability index, by the reference's quantiles, and the least share that a bin is given.
const BINS: usize = 10;
const LEAST: f64 = 1e-4;
/// Windows drawn from the two together, to see what an index chance gives.
const DRAWS: usize = 100;

/// When to raise an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// The probability of any alarm in a window of which nothing has changed. Windows that follow each other each have it.
    pub alpha: f64,
    /// Recordings with a value, on both sides, below which nothing is said.
    pub least_recordings: u32,
    /// Of what is drawn at random.
    pub seed: u64,
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            alpha: 0.01,
            least_recordings: 20,
            seed: 57,
        }
    }
}

/// What has become of each figure, the surest change first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    /// Any figure raises an alarm.
    pub alarm: bool,
    /// In words.
    pub sentence: String,
    /// Each figure of the reference.
    pub figures: Vec<Changed>,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DriftedFigure")]
pub struct Changed {
    /// Its name.
    pub name: String,
    /// Recordings of the reference that have it.
    pub reference_recordings: u64,
    /// Recordings of the window that have it.
    pub recordings: u64,
    /// The middle value of the reference.
    pub reference_median: Option<f64>,
    /// The middle value of the window.
    pub median: Option<f64>,
    /// Population stability index over ten bins.
    pub psi: Option<f64>,
    /// The index that 95 % of windows this size stay below when nothing has changed: small windows have a great one by chance, so
    /// the usual 0.1 and 0.25 mean nothing for them.
    pub psi_by_chance: Option<f64>,
    /// Greatest distance of the distributions (Kolmogorov, Smirnov).
    pub ks: Option<f64>,
    /// The probability of such a distance if nothing has changed.
    pub p: Option<f64>,
    /// The probability is below alpha divided by the number of figures.
    pub alarm: bool,
}

/// Compares a window of recordings with a frozen reference. Figures that the reference does not have are passed over.
#[must_use]
pub fn drift(reference: &Reference, window: &[Figures], rule: &Rule) -> Drift {
    let of = |recordings: &[Figures], name: &str| -> Vec<f64> {
        recordings
            .iter()
            .filter_map(|figures| figures.get(name))
            .map(|value| seven_digits(*value))
            .filter(|value| value.is_finite())
            .collect()
    };
    let alpha = rule.alpha / reference.figures.len().max(1) as f64;
    let mut figures: Vec<Changed> = reference
        .figures
        .iter()
        .map(|(name, values)| {
            let values: Vec<f64> = values.iter().map(|value| seven_digits(*value)).collect();
            changed(name, &values, &of(window, name), alpha, rule)
        })
        .collect();
    figures.sort_by(|one, two| one.p.unwrap_or(1.0).total_cmp(&two.p.unwrap_or(1.0)));
    let alarms: Vec<&str> = figures
        .iter()
        .filter(|figure| figure.alarm)
        .map(|figure| figure.name.as_str())
        .collect();
    let sentence = if alarms.is_empty() && figures.iter().all(|figure| figure.p.is_none()) {
        format!("Too early to say: fewer than {} recordings.", rule.least_recordings)
    } else if alarms.is_empty() {
        format!("No change beyond chance over {} recordings.", window.len())
    } else {
        format!("Changed against the reference: {}.", alarms.join(", "))
    };
    Drift {
        alarm: !alarms.is_empty(),
        sentence,
        figures,
    }
}

/// Values count to seven digits: one that was written down and read again may differ in its last bit, and where all are the same
/// that would be a change.
fn seven_digits(value: f64) -> f64 {
    f64::from(value as f32)
}

fn changed(name: &str, reference: &[f64], window: &[f64], alpha: f64, rule: &Rule) -> Changed {
    let enough = reference.len().min(window.len()) >= rule.least_recordings.max(2) as usize;
    let ks = ks::distance(reference, window);
    let p = ks
        .filter(|_| enough)
        .map(|distance| ks::p_value(distance, reference.len(), window.len()));
    let median = |values: &[f64]| {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        (!sorted.is_empty()).then(|| crate::stats::bootstrap::percentile(&sorted, 0.5))
    };
    Changed {
        name: name.to_owned(),
        reference_recordings: reference.len() as u64,
        recordings: window.len() as u64,
        reference_median: median(reference),
        median: median(window),
        psi: enough.then(|| psi(reference, window)),
        psi_by_chance: enough.then(|| by_chance(reference, window, rule.seed)),
        ks,
        p,
        alarm: p.is_some_and(|p| p <= alpha),
    }
}

/// The population stability index: the sum of (p - q) ln(p / q) over ten bins cut at the reference's quantiles. Zero where
/// either is empty.
#[must_use]
pub fn psi(reference: &[f64], window: &[f64]) -> f64 {
    let mut sorted = reference.to_vec();
    sorted.sort_by(f64::total_cmp);
    if sorted.is_empty() || window.is_empty() {
        return 0.0;
    }
    let edges: Vec<f64> = (1..BINS)
        .map(|at| crate::stats::bootstrap::percentile(&sorted, at as f64 / BINS as f64))
        .collect();
    let shares = |values: &[f64]| {
        let mut counts = [0.0; BINS];
        for value in values {
            counts[edges.partition_point(|edge| edge <= value)] += 1.0;
        }
        counts.map(|count: f64| (count / values.len() as f64).max(LEAST))
    };
    index(&shares(reference), &shares(window))
}

/// The index of two lists of shares.
pub(crate) fn index(one: &[f64], two: &[f64]) -> f64 {
    one.iter().zip(two).map(|(p, q)| (p - q) * (p / q).ln()).sum()
}

fn by_chance(reference: &[f64], window: &[f64], seed: u64) -> f64 {
    let mut all: Vec<f64> = reference.iter().chain(window).copied().collect();
    let mut random = stream(seed, 5);
    let mut drawn: Vec<f64> = (0..DRAWS)
        .map(|_| {
            for at in 0..window.len() {
                let other = random.random_range(at..all.len());
                all.swap(at, other);
            }
            let (two, one) = all.split_at(window.len());
            psi(one, two)
        })
        .collect();
    drawn.sort_by(f64::total_cmp);
    crate::stats::bootstrap::percentile(&drawn, 0.95)
}
