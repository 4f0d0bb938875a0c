//! A signal that is high where the QRS is and low elsewhere, at a common low rate.

/// The rate that a lead is averaged down to, at least; QRS energy lies below 40 Hz.
const TARGET_HZ: f64 = 120.0;

/// Above this a sample is a fault of the file; squared, it would drown the rest of the record. A kilovolt, so that
/// leads in a wrong unit are still looked at.
const HIGHEST_MV: f32 = 1e6;

/// The energy of a lead.
pub(super) struct Energy {
    /// Samples per second of the level.
    pub(super) rate_hz: f64,
    /// Original samples behind one of these.
    pub(super) factor: usize,
    /// Root of the smoothed squared slope; mV per step.
    pub(super) level: Vec<f32>,
}

/// Samples that are averaged to one.
pub(super) fn factor(rate_hz: f64) -> usize {
    ((rate_hz / TARGET_HZ).floor() as usize).max(1)
}

pub(super) fn of(samples_mv: &[f32], rate_hz: f64) -> Energy {
    let factor = factor(rate_hz);
    let rate = rate_hz / factor as f64;
    let low = averaged(samples_mv, factor);
    let width = |seconds: f64| ((seconds * rate).round() as usize).max(1);
    // Differences of centred moving averages: no phase, two additions a sample. 8 to 20 Hz, roughly.
    let smooth = moving_average(&low, width(0.025) | 1);
    let slow = moving_average(&low, width(0.095) | 1);
    let band: Vec<f32> = smooth.iter().zip(&slow).map(|(a, b)| a - b).collect();
    let squared: Vec<f32> = (0..band.len())
        .map(|i| {
            let (before, after) = (band[i.saturating_sub(1)], band[(i + 1).min(band.len() - 1)]);
            let slope = after - before;
            slope * slope + 0.5 * band[i] * band[i]
        })
        .collect();
    let mut level = moving_average(&moving_average(&squared, width(0.06) | 1), width(0.06) | 1);
    for value in &mut level {
        *value = value.max(0.0).sqrt();
    }
    Energy {
        rate_hz: rate,
        factor,
        level,
    }
}

/// Means of `factor` samples; where a sample is invalid the last valid mean goes on.
pub(super) fn averaged(samples: &[f32], factor: usize) -> Vec<f32> {
    let first = samples
        .iter()
        .copied()
        .find(|value| value.abs() <= HIGHEST_MV)
        .unwrap_or(0.0);
    let mut last = first;
    samples
        .chunks(factor)
        .map(|chunk| {
            // Comparisons with NaN are false: an invalid sample spoils its mean.
            let mean = chunk.iter().sum::<f32>() / chunk.len() as f32;
            if mean.abs() <= HIGHEST_MV {
                last = mean;
            }
            last
        })
        .collect()
}

/// Centred mean over `width` samples (odd), fewer at the ends.
pub(super) fn moving_average(samples: &[f32], width: usize) -> Vec<f32> {
    let half = width / 2;
    let n = samples.len();
    // Sums in f64: over a day the rounding of f32 would drift.
    let mut sum: f64 = samples.iter().take(half).map(|value| f64::from(*value)).sum();
    let mut count = half.min(n);
    let mut means = Vec::with_capacity(n);
    let mut step = |enters: Option<f32>, leaves: Option<f32>, share: Option<f64>| {
        if let Some(value) = enters {
            sum += f64::from(value);
            count += 1;
        }
        if let Some(value) = leaves {
            sum -= f64::from(value);
            count -= 1;
        }
        means.push((share.map_or_else(|| sum / count as f64, |share| sum * share)) as f32);
    };
    // The ends divide by what is there; in between the divisor is the width, and its inverse is known.
    let whole = (half + 1).min(n)..n.saturating_sub(half).max((half + 1).min(n));
    for i in 0..whole.start {
        step(samples.get(i + half).copied(), None, None);
    }
    let inverse = 1.0 / (2 * half + 1) as f64;
    for i in whole.clone() {
        step(Some(samples[i + half]), Some(samples[i - half - 1]), Some(inverse));
    }
    for i in whole.end..n {
        step(samples.get(i + half).copied(), Some(samples[i - half - 1]), None);
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_moving_average_is_the_mean_of_what_is_there(samples in proptest::collection::vec(-5.0_f32..5.0, 1..40), half in 0_usize..30) {
            let means = moving_average(&samples, 2 * half + 1);
            for (i, mean) in means.iter().enumerate() {
                let around = &samples[i.saturating_sub(half)..(i + half + 1).min(samples.len())];
                let expected = around.iter().sum::<f32>() / around.len() as f32;
                proptest::prop_assert!((mean - expected).abs() < 1e-4, "{i}: {mean} {expected}");
            }
        }
    }
}
