//! Faults that need no statistics: invalid, flat, saturated.

use super::{Reason, Span};

/// A fault this long is a span of its own.
const STRETCH_S: f64 = 1.0;
/// Samples within this of each other are the same: below the noise of any amplifier, above rounding.
const SAME_MV: f32 = 1e-5;
/// An extreme held for so long is a clipped one: the tip of an R wave is sharper, and a T wave's is no extreme.
const CLIPPED_S: f64 = 0.014;

/// Stretches of a second or more in which every sample is invalid, or the same.
pub(super) fn stretches(samples: &[f32], rate_hz: f64, rails_mv: Option<(f32, f32)>) -> Vec<Span> {
    let shortest = ((STRETCH_S * rate_hz) as usize).max(2);
    let mut spans = Vec::new();
    let mut start = 0;
    for i in 1..=samples.len() {
        let goes_on = samples.get(i).is_some_and(|&x| same(x, samples[start]));
        if !goes_on {
            if i - start >= shortest {
                let value = samples[start];
                let at_rail = rails_mv.is_some_and(|(low, high)| value <= low || value >= high);
                let reason = if value.is_nan() {
                    Reason::Invalid
                } else if at_rail {
                    Reason::Saturated
                } else {
                    Reason::Flat
                };
                spans.push(Span {
                    start,
                    end: i,
                    reasons: vec![reason],
                });
            }
            start = i;
        }
    }
    spans
}

fn same(a: f32, b: f32) -> bool {
    (a.is_nan() && b.is_nan()) || (a - b).abs() < SAME_MV
}

/// Share of samples that lie in runs at the window's own extremes.
///
/// A stage before the converter may clip well inside the converter's rails, so these are not asked.
pub(super) fn saturated_share(samples: &[f32], rate_hz: f64) -> f32 {
    let shortest = ((CLIPPED_S * rate_hz).round() as usize).max(3);
    let (low, high) = samples
        .iter()
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &x| {
            (low.min(x), high.max(x))
        });
    let mut clipped = 0;
    for run in samples.chunk_by(|a, b| (*a <= low && *b <= low) || (*a >= high && *b >= high)) {
        if run.len() >= shortest {
            clipped += run.len();
        }
    }
    clipped as f32 / samples.len().max(1) as f32
}

/// Median over seconds of highest minus lowest, in millivolts; NaN where nothing is valid.
pub(super) fn typical_height_mv(samples: &[f32], rate_hz: f64) -> f32 {
    let second = (rate_hz.round() as usize).max(1);
    let mut heights: Vec<f32> = samples
        .chunks(second)
        .filter(|chunk| 2 * chunk.len() > second)
        .filter_map(|chunk| {
            let (low, high) = chunk
                .iter()
                .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &x| {
                    (low.min(x), high.max(x))
                });
            (low <= high).then_some(high - low)
        })
        .collect();
    heights.sort_by(f32::total_cmp);
    heights.get(heights.len() / 2).copied().unwrap_or(f32::NAN)
}

/// Pearson's kurtosis; NaN for a constant.
pub(super) fn kurtosis(samples: &[f32]) -> f32 {
    let valid = || samples.iter().filter(|x| x.is_finite()).map(|x| f64::from(*x));
    let n = valid().count() as f64;
    let mean = valid().sum::<f64>() / n;
    let (second, fourth) = valid().fold((0.0, 0.0), |(second, fourth), x| {
        let square = (x - mean) * (x - mean);
        (second + square, fourth + square * square)
    });
    (n * fourth / (second * second)) as f32
}
