//! Which peaks of the energy are QRS complexes.
//!
//! Its thresholds were set by hand and looked at on all 48 records of MIT-BIH, so figures on them are optimistic to that extent.

use super::energy::Energy;

/// Two complexes are never closer than this (ventricular refractory period).
const REFRACTORY_S: f64 = 0.20;
/// Within this time of a complex a much weaker peak is its T wave.
const T_WAVE_S: f64 = 0.36;
const T_WAVE_SHARE: f32 = 0.55;
/// Share of the local QRS level that a peak must reach.
const SHARE: f32 = 0.38;
/// Share when a beat is overdue.
const SEARCH_BACK_SHARE: f32 = 0.18;
/// Overdue means this many times the local RR interval.
const OVERDUE: f64 = 1.6;

/// Positions (in the energy's own samples) of the complexes.
pub(super) fn complexes(energy: &Energy) -> Vec<usize> {
    let candidates = local_maxima(&energy.level, (REFRACTORY_S * energy.rate_hz) as usize);
    let levels = local_levels(&energy.level, energy.rate_hz, &candidates);
    let mut chosen: Vec<usize> = Vec::with_capacity(candidates.len());
    // Indices into candidates.
    for (index, &position) in candidates.iter().enumerate() {
        let height = energy.level[position];
        if height < SHARE * levels[index] {
            continue;
        }
        if let Some(&last) = chosen.last() {
            let gap = (position - candidates[last]) as f64 / energy.rate_hz;
            if gap < T_WAVE_S && height < T_WAVE_SHARE * energy.level[candidates[last]] {
                continue;
            }
        }
        chosen.push(index);
    }
    search_back(energy, &candidates, &levels, chosen)
}

/// Local maxima, each the highest within `distance` samples on both sides.
pub(super) fn local_maxima(level: &[f32], distance: usize) -> Vec<usize> {
    let mut maxima: Vec<usize> = Vec::new();
    for i in 1..level.len().saturating_sub(1) {
        if level[i] > level[i - 1] && level[i] >= level[i + 1] {
            match maxima.last() {
                Some(&last) if i - last < distance => {
                    if level[i] > level[last] {
                        maxima.pop();
                        maxima.push(i);
                    }
                }
                _ => maxima.push(i),
            }
        }
    }
    maxima
}

/// The level of a QRS around each candidate: the median of the highest peak of each of nine stretches of 1.5 s.
pub(super) fn local_levels(level: &[f32], rate_hz: f64, candidates: &[usize]) -> Vec<f32> {
    let stretch = 1.5 * rate_hz;
    let count = (level.len() as f64 / stretch).ceil().max(1.0) as usize;
    let mut highest = vec![0.0_f32; count];
    for &candidate in candidates {
        let slot = ((candidate as f64 / stretch) as usize).min(count - 1);
        highest[slot] = highest[slot].max(level[candidate]);
    }
    let medians: Vec<f32> = (0..count)
        .map(|slot| {
            let mut around = highest[slot.saturating_sub(4)..(slot + 5).min(count)].to_vec();
            around.sort_by(f32::total_cmp);
            around[around.len() / 2]
        })
        .collect();
    candidates
        .iter()
        .map(|&candidate| medians[((candidate as f64 / stretch) as usize).min(count - 1)])
        .collect()
}

/// Looks again, with a lower threshold, where a beat is overdue.
fn search_back(energy: &Energy, candidates: &[usize], levels: &[f32], chosen: Vec<usize>) -> Vec<usize> {
    let mut found = Vec::with_capacity(chosen.len());
    let mut recent: Vec<f64> = Vec::new();
    for &here in &chosen {
        if let Some(&last) = found.last() {
            let last: usize = last;
            let gap = (candidates[here] - candidates[last]) as f64;
            let typical = median(&recent).unwrap_or(gap);
            if gap > OVERDUE * typical {
                let refused = (0.36 * energy.rate_hz) as usize;
                let best = (last + 1..here)
                    .filter(|&index| {
                        candidates[index] - candidates[last] >= refused
                            && candidates[here] - candidates[index] >= refused
                            && energy.level[candidates[index]] >= SEARCH_BACK_SHARE * levels[index]
                    })
                    .max_by(|&a, &b| energy.level[candidates[a]].total_cmp(&energy.level[candidates[b]]));
                if let Some(best) = best {
                    found.push(best);
                }
            }
            recent.push(gap.min(OVERDUE * typical));
            if recent.len() > 9 {
                recent.remove(0);
            }
        }
        found.push(here);
    }
    found.into_iter().map(|index| candidates[index]).collect()
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}
