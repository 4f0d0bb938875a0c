//! How much of the detector's energy lies between beats: the noise that beats have to stand out from.

use super::energy::{self, Energy};
use std::ops::Range;

/// A beat's energy is the highest this near to its R peak.
const NEAR_S: f64 = 0.06;

/// The energy of a lead, asked window by window.
pub(crate) struct Contrast {
    energy: Energy,
}

impl Contrast {
    /// Of a whole lead; `rate_hz` above zero.
    pub(crate) fn of(samples_mv: &[f32], rate_hz: f64) -> Self {
        Self {
            energy: energy::of(samples_mv, rate_hz),
        }
    }

    /// Median energy of the samples in `window` over the median energy of the `beats` (samples of the lead) inside it:
    /// below 0.1 for a clean lead, 0.25 at about 12 dB, 0.6 and more where noise is all there is. NaN without beats.
    pub(crate) fn noise_share(&self, window: Range<usize>, beats: &[usize]) -> f32 {
        let (factor, level) = (self.energy.factor, &self.energy.level);
        let near = ((NEAR_S * self.energy.rate_hz) as usize).max(1);
        let mut peaks: Vec<f32> = beats
            .iter()
            .map(|beat| {
                let at = (beat / factor).min(level.len());
                let around = &level[at.saturating_sub(near)..(at + near).min(level.len())];
                around.iter().copied().fold(0.0, f32::max)
            })
            .collect();
        let end = window.end.div_ceil(factor).min(level.len());
        let mut all = level[(window.start / factor).min(end)..end].to_vec();
        median(&mut all) / median(&mut peaks)
    }
}

/// The upper median; NaN of nothing.
fn median(values: &mut [f32]) -> f32 {
    if values.is_empty() {
        return f32::NAN;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}
