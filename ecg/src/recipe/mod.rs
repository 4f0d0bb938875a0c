//! Recipes: named, versioned ways from a lead and its R peaks to a model's input.
//!
//! A model names its recipe in its manifest; [`by_name`] finds it. What a recipe computes never changes under one
//! name: a change is a new name. Training data are made by this same code.

pub mod beat_rr;
pub mod kaggle;

use std::ops::Range;

use thiserror::Error;

/// A recipe of this build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recipe {
    /// [`kaggle`]: one row of 187 values a beat, from this R peak to a fifth into the next interval.
    KaggleHeartbeatV1,
    /// [`beat_rr`]: the beat, its difference to the recording's median beat, and features of its surroundings.
    BeatRrV1,
}

/// One named input of a model for a number of beats, row-major, the beats first.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// The model's input name.
    pub name: &'static str,
    /// The number of beats, then the shape of one beat.
    pub dims: Vec<usize>,
    /// As many values as `dims` multiply to.
    pub values: Vec<f32>,
}

/// Why a recipe could not be applied.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum RecipeError {
    /// The rate lies outside what the recipe was made for.
    #[error("the sampling rate is {rate_hz} Hz, the recipe needs {low} to {high} Hz; check the declared rate")]
    Rate {
        /// The rate given.
        rate_hz: f64,
        /// Lowest rate taken.
        low: f64,
        /// Highest rate taken.
        high: f64,
    },
    /// Rhythm has no meaning on so few beats.
    #[error("the recording has {found} beats, the recipe needs {needed} or more; give a longer recording")]
    TooFewBeats {
        /// Beats given.
        found: usize,
        /// Beats needed.
        needed: usize,
    },
    /// An R position is not a place in the recording, or they are out of order.
    #[error("R peak {index} at sample {sample} is outside the recording or out of order; positions must rise")]
    Peak {
        /// Index in the list of R peaks.
        index: usize,
        /// The position given.
        sample: f64,
    },
}

/// Slowest and fastest sampling rate the recipes take, Hz.
pub const RATE_RANGE_HZ: (f64, f64) = (90.0, 4000.0);

/// The recipe of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<Recipe> {
    Recipe::ALL.into_iter().find(|recipe| recipe.name() == name)
}

impl Recipe {
    /// All recipes of this build.
    pub const ALL: [Self; 2] = [Self::KaggleHeartbeatV1, Self::BeatRrV1];

    /// The name manifests and answers give.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::KaggleHeartbeatV1 => "kaggle-heartbeat-v1",
            Self::BeatRrV1 => "beat-rr-v1",
        }
    }

    /// Input names and the shape of one beat in each.
    #[must_use]
    pub fn inputs(self) -> Vec<(&'static str, Vec<usize>)> {
        match self {
            Self::KaggleHeartbeatV1 => vec![("row", vec![1, kaggle::ROW])],
            Self::BeatRrV1 => vec![("beat", vec![2, beat_rr::WINDOW]), ("rr", vec![beat_rr::FEATURES])],
        }
    }

    /// Does the work that needs the whole lead: conditioning, medians, rhythm. Windows are cut later, in batches.
    ///
    /// `samples_mv`: one lead in millivolts, NaN where invalid. `r_peaks`: rising positions in samples of this lead,
    /// whole or fractional.
    ///
    /// # Errors
    /// [`RecipeError`] for a rate outside [`RATE_RANGE_HZ`], too few beats, or positions out of order or range.
    pub fn prepare(self, samples_mv: &[f32], rate_hz: f64, r_peaks: &[f64]) -> Result<Prepared, RecipeError> {
        let (low, high) = RATE_RANGE_HZ;
        if !(low..=high).contains(&rate_hz) {
            return Err(RecipeError::Rate { rate_hz, low, high });
        }
        let mut before = -1.0;
        for (index, &sample) in r_peaks.iter().enumerate() {
            if !(sample > before && sample >= 0.0 && sample < samples_mv.len() as f64) {
                return Err(RecipeError::Peak { index, sample });
            }
            before = sample;
        }
        Ok(match self {
            Self::KaggleHeartbeatV1 => Prepared::Kaggle(kaggle::Rows::prepare(samples_mv, rate_hz, r_peaks)?),
            Self::BeatRrV1 => Prepared::BeatRr(beat_rr::Beats::prepare(samples_mv, rate_hz, r_peaks)?),
        })
    }
}

/// A lead after [`Recipe::prepare`]: inputs for any range of its beats.
#[derive(Debug, Clone)]
pub enum Prepared {
    /// See [`kaggle`].
    Kaggle(kaggle::Rows),
    /// See [`beat_rr`].
    BeatRr(beat_rr::Beats),
}

impl Prepared {
    /// Beats that have an input: the first so many R peaks. All of them for `beat-rr-v1`; all but the last for
    /// `kaggle-heartbeat-v1`, whose row needs the next beat.
    #[must_use]
    pub fn beats(&self) -> usize {
        match self {
            Self::Kaggle(rows) => rows.len(),
            Self::BeatRr(beats) => beats.len(),
        }
    }

    /// The inputs of beats `range` (clipped to the beats there are), in the order of [`Recipe::inputs`].
    #[must_use]
    pub fn tensors(&self, range: Range<usize>) -> Vec<Tensor> {
        let end = range.end.min(self.beats());
        let range = range.start.min(end)..end;
        match self {
            Self::Kaggle(rows) => rows.tensors(range),
            Self::BeatRr(beats) => beats.tensors(range),
        }
    }
}

/// A copy with every NaN or infinity replaced along the straight line between its valid neighbours (the nearest one at
/// the ends, zero where nothing is valid).
fn fill_gaps(samples: &[f32]) -> Vec<f32> {
    let mut filled = samples.to_vec();
    let mut at = 0;
    while at < filled.len() {
        if filled[at].is_finite() {
            at += 1;
            continue;
        }
        let end = (at..filled.len())
            .find(|&i| filled[i].is_finite())
            .unwrap_or(filled.len());
        let left = at.checked_sub(1).map(|i| filled[i]);
        let right = filled.get(end).copied();
        let (left, right) = (left.or(right).unwrap_or(0.0), right.or(left).unwrap_or(0.0));
        let steps = (end - at + 1) as f32;
        for (i, slot) in filled[at..end].iter_mut().enumerate() {
            *slot = left + (right - left) * (i + 1) as f32 / steps;
        }
        at = end;
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipes_are_found_by_the_names_they_give() {
        for recipe in Recipe::ALL {
            assert_eq!(by_name(recipe.name()), Some(recipe));
        }
        assert_eq!(by_name("beat-rr"), None);
    }

    #[test]
    fn gaps_are_bridged_by_straight_lines() {
        let nan = f32::NAN;
        assert_eq!(
            fill_gaps(&[nan, 1.0, nan, nan, 4.0, f32::INFINITY]),
            [1.0, 1.0, 2.0, 3.0, 4.0, 4.0]
        );
        assert_eq!(fill_gaps(&[nan, nan]), [0.0, 0.0]);
    }

    #[test]
    fn wrong_rates_and_positions_are_named() {
        let samples = vec![0.0; 1000];
        let error = |rate, peaks: &[f64]| Recipe::BeatRrV1.prepare(&samples, rate, peaks).err();
        assert!(matches!(error(1.0, &[]), Some(RecipeError::Rate { .. })));
        assert!(matches!(error(f64::NAN, &[]), Some(RecipeError::Rate { .. })));
        assert!(matches!(
            error(360.0, &[5.0, 5.0]),
            Some(RecipeError::Peak { index: 1, .. })
        ));
        assert!(matches!(
            error(360.0, &[5.0, 1000.0]),
            Some(RecipeError::Peak { index: 1, .. })
        ));
        assert!(matches!(
            error(360.0, &[f64::NAN]),
            Some(RecipeError::Peak { index: 0, .. })
        ));
        assert!(matches!(
            error(360.0, &[5.0]),
            Some(RecipeError::TooFewBeats { found: 1, .. })
        ));
    }
}
