//! The R peak itself, at the original rate and of one polarity.

use super::energy::Energy;

/// How far from the centre of a complex's energy its R peak can lie.
const REACH_S: f64 = 0.07;

/// The sample of each complex's R peak.
pub(super) fn peaks(samples_mv: &[f32], rate_hz: f64, energy: &Energy, complexes: &[usize]) -> Vec<usize> {
    let reach = (REACH_S * energy.rate_hz).round() as usize;
    let n = energy.band.len();
    let extremes: Vec<(usize, usize)> = complexes
        .iter()
        .map(|&centre| {
            let span = centre.saturating_sub(reach)..(centre + reach + 1).min(n);
            let high = span
                .clone()
                .max_by(|&a, &b| energy.band[a].total_cmp(&energy.band[b]))
                .unwrap_or(centre);
            let low = span
                .min_by(|&a, &b| energy.band[a].total_cmp(&energy.band[b]))
                .unwrap_or(centre);
            (high, low)
        })
        .collect();
    let mut peaks = Vec::with_capacity(complexes.len());
    for (index, &(high, low)) in extremes.iter().enumerate() {
        // The polarity of the record around here decides, unless this complex is clearly the other way.
        let around = &extremes[index.saturating_sub(20)..(index + 21).min(extremes.len())];
        let (up, down) = around.iter().fold((0.0, 0.0), |(up, down), &(high, low)| {
            (up + energy.band[high], down - energy.band[low])
        });
        let bias = if up >= 0.8 * down { 1.6 } else { 1.0 / 1.6 };
        let coarse = if energy.band[high] * bias >= -energy.band[low] {
            high
        } else {
            low
        };
        let sign = if coarse == high { 1.0 } else { -1.0 };
        let centre = coarse * energy.factor + energy.factor / 2;
        let reach = ((0.025 * rate_hz) as usize).max(energy.factor);
        let span = centre.saturating_sub(reach)..(centre + reach + 1).min(samples_mv.len());
        let best = span
            .filter(|&i| samples_mv[i].is_finite())
            .max_by(|&a, &b| (sign * samples_mv[a]).total_cmp(&(sign * samples_mv[b])));
        if let Some(best) = best
            && peaks.last().is_none_or(|&last| best > last)
        {
            peaks.push(best);
        }
    }
    peaks
}
