//! Ectopic burden and how sure it is.

use crate::beat::BeatClass;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::Serialize;

/// Draws behind an interval.
const DRAWS: usize = 400;
/// Usual block; blocks must be much longer than runs of ectopy last.
const BLOCK_S: f64 = 60.0;
/// More blocks than this are made longer instead, so that the time of a summary stays bounded (at 60 s: 14 days).
const MOST_BLOCKS: f64 = 20_000.0;
/// Fewer blocks than this give no interval.
const FEWEST_BLOCKS: usize = 5;

/// Share of readable beats, with the interval of 95 % that a moving-block bootstrap gives.
///
/// Ectopic beats come in clusters, so beats are no independent draws; whole blocks of time are drawn instead (Kuensch
/// 1989, Annals of Statistics 17:1217). The interval speaks of this recording's time, not of other days.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Burden {
    /// 0 to 1.
    pub share: f64,
    /// Lower end; `None` for a recording too short to tell.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

pub(super) fn burden(readable: &[(f64, BeatClass)], class: BeatClass, duration_s: f64) -> Option<Burden> {
    if readable.is_empty() {
        return None;
    }
    let count = readable.iter().filter(|(_, found)| *found == class).count();
    let share = rounded(count as f64 / readable.len() as f64);
    let block_s = BLOCK_S.min(duration_s / 10.0).max(5.0).max(duration_s / MOST_BLOCKS);
    let blocks = (duration_s / block_s).floor() as usize;
    if !duration_s.is_finite() || blocks < FEWEST_BLOCKS {
        return Some(Burden {
            share,
            low: None,
            high: None,
        });
    }
    // Beats and ectopic beats of each tenth of a block, as running sums, so that a block anywhere costs two look-ups.
    let step = block_s / 10.0;
    let slots = (duration_s / step).ceil() as usize + 1;
    let mut sums = vec![(0_u32, 0_u32); slots + 1];
    for (time, found) in readable {
        let slot = ((time / step).max(0.0) as usize).min(slots - 1) + 1;
        sums[slot].0 += 1;
        sums[slot].1 += u32::from(*found == class);
    }
    for slot in 1..sums.len() {
        sums[slot].0 += sums[slot - 1].0;
        sums[slot].1 += sums[slot - 1].1;
    }
    let starts = slots - 10;
    let mut random = ChaCha8Rng::seed_from_u64(57);
    let mut shares: Vec<f64> = (0..DRAWS)
        .filter_map(|_| {
            let (beats, ectopic) = (0..blocks).fold((0_u32, 0_u32), |(beats, ectopic), _| {
                let start = random.random_range(0..=starts);
                let end = (start + 10).min(slots);
                (
                    beats + sums[end].0 - sums[start].0,
                    ectopic + sums[end].1 - sums[start].1,
                )
            });
            (beats > 0).then(|| f64::from(ectopic) / f64::from(beats))
        })
        .collect();
    shares.sort_by(f64::total_cmp);
    let quantile = |q: f64| {
        shares
            .get((q * (shares.len() as f64 - 1.0)).round() as usize)
            .map(|share| rounded(*share))
    };
    Some(Burden {
        share,
        low: quantile(0.025),
        high: quantile(0.975),
    })
}

fn rounded(share: f64) -> f64 {
    (share * 1e5).round() / 1e5
}
