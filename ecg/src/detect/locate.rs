//! The R peak itself, at the original rate and of one polarity.

use super::energy::Energy;

/// How far from the centre of a complex's energy its R peak can lie.
const REACH_S: f64 = 0.08;
/// Samples are averaged over this long before the extremum is looked for, against mains and muscle noise.
const SMOOTH_S: f64 = 0.012;
/// Complexes to each side that say which polarity the record has around here.
const AROUND: usize = 20;
/// A complex counts as of the other polarity when its deflection is this many times the one of the record's polarity;
/// of 1.1, 1.3 and 1.6 the one with the least offset on DS1.
const CLEARLY: f32 = 1.6;
/// Upright is preferred unless the downward deflections are this much larger.
const UPRIGHT: f32 = 0.8;

/// A complex's highest and lowest sample, each with its deflection from the level beside the complex.
#[derive(Debug, Clone, Copy)]
struct Extremes {
    up: (usize, f32),
    down: (usize, f32),
}

/// The sample of each complex's R peak.
pub(super) fn peaks(samples_mv: &[f32], rate_hz: f64, energy: &Energy, complexes: &[usize]) -> Vec<usize> {
    let mut smooth = Vec::new();
    let extremes: Vec<Extremes> = complexes
        .iter()
        .filter_map(|&centre| {
            let centre = centre * energy.factor + energy.factor / 2;
            extremes(samples_mv, rate_hz, centre, &mut smooth)
        })
        .collect();
    let mut peaks: Vec<usize> = Vec::with_capacity(extremes.len());
    for (index, own) in extremes.iter().enumerate() {
        // The polarity of the record around here decides, unless this complex is clearly the other way.
        let around = &extremes[index.saturating_sub(AROUND)..(index + AROUND + 1).min(extremes.len())];
        let (up, down) = around
            .iter()
            .fold((0.0, 0.0), |(up, down), one| (up + one.up.1, down + one.down.1));
        let bias = if up >= UPRIGHT * down { CLEARLY } else { 1.0 / CLEARLY };
        let best = if own.up.1 * bias >= own.down.1 {
            own.up.0
        } else {
            own.down.0
        };
        if peaks.last().is_none_or(|&last| best > last) {
            peaks.push(best);
        }
    }
    peaks
}

fn extremes(samples: &[f32], rate_hz: f64, centre: usize, smooth: &mut Vec<(usize, f32)>) -> Option<Extremes> {
    let reach = ((REACH_S * rate_hz).round() as usize).max(1);
    let half = (SMOOTH_S * rate_hz / 2.0).round() as usize;
    let from = centre.saturating_sub(reach);
    let to = (centre + reach + 1).min(samples.len());
    smooth.clear();
    smooth.extend((from..to).filter(|&i| samples[i].is_finite()).map(|i| {
        let around = &samples[i.saturating_sub(half)..(i + half + 1).min(samples.len())];
        (i, mean(around.iter()).unwrap_or(samples[i]))
    }));
    // The level beside the complex: as long before and after it as the search reaches.
    let before = samples[from.saturating_sub(reach)..from].iter();
    let after = samples[to..(to + reach).min(samples.len())].iter();
    let level = mean(before.chain(after)).or_else(|| mean(smooth.iter().map(|(_, x)| x)))?;
    let up = smooth.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let down = smooth.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(Extremes {
        up: (up.0, up.1 - level),
        down: (down.0, level - down.1),
    })
}

/// Mean of the finite values; `None` without any.
fn mean<'a>(values: impl Iterator<Item = &'a f32>) -> Option<f32> {
    let (sum, count) = values
        .filter(|x| x.is_finite())
        .fold((0.0_f32, 0_u32), |(sum, count), x| (sum + x, count + 1));
    (count > 0).then(|| sum / count as f32)
}
