//! Permutation tests over recordings: had the two arms been given their names by chance, how often would they differ as much?
//!
//! Paired, the two arms change names within a recording (for a mean of differences: sign flips); apart, recordings change arms.
//! Valid for any figure, also one as crooked as pooled F1 (Fisher 1935; Good 2005, Permutation, Parametric and Bootstrap Tests).

use super::{bootstrap::sum, stream};
use rand::Rng;
use rand_chacha::rand_core::RngCore;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Recordings in which the arms differ, up to which every flip is tried.
pub const EXACT_UP_TO: usize = 20;

/// The result of a test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PermutationTest")]
pub struct Tested {
    /// Two-sided: the share of renamings with a difference as great, to either side.
    pub p: f64,
    /// All renamings were tried; else that many were drawn, and one is added above and below the line.
    pub exact: bool,
}

/// Hides what rounding does to a difference that is the same.
fn as_great(value: Option<f64>, seen: f64) -> bool {
    value.is_none_or(|value| value.abs() >= seen.abs() * (1.0 - 1e-12) - 1e-15)
}

/// Renames the arms within recordings. `figures` works out `K` differences, second less first arm, from the sums of both arms'
/// counts, and must change its sign when they change places. A renaming for which a figure has no value counts as one with a
/// difference as great. Recordings in which both arms have the same counts are left out: they change nothing.
#[must_use]
pub fn paired<const N: usize, const K: usize>(
    units: &[([f64; N], [f64; N])],
    draws: usize,
    seed: u64,
    figures: impl Fn(&[f64; N], &[f64; N]) -> [Option<f64>; K],
) -> [Option<Tested>; K] {
    let mut first = sum(units.iter().map(|unit| &unit.0));
    let mut second = sum(units.iter().map(|unit| &unit.1));
    let seen = figures(&first, &second);
    let differing: Vec<[f64; N]> = units
        .iter()
        .map(|(first, second)| std::array::from_fn(|at| second[at] - first[at]))
        .filter(|difference| difference.iter().any(|value| *value != 0.0))
        .collect();
    let mut flipped = vec![false; differing.len()];
    let mut flip = |at: usize, first: &mut [f64; N], second: &mut [f64; N]| {
        let sign = if flipped[at] { -1.0 } else { 1.0 };
        flipped[at] = !flipped[at];
        for (field, value) in differing[at].iter().enumerate() {
            first[field] += sign * value;
            second[field] -= sign * value;
        }
    };
    let exact = differing.len() <= EXACT_UP_TO;
    let mut hits = [0_u64; K];
    let mut count = |first: &[f64; N], second: &[f64; N]| {
        for ((hits, seen), value) in hits.iter_mut().zip(seen).zip(figures(first, second)) {
            *hits += u64::from(seen.is_some_and(|seen| as_great(value, seen)));
        }
    };
    let rounds = if exact {
        // The other half of the flips are these with all turned round, which only changes the sign. In Gray's order each
        // differs from the one before in one recording.
        let half = 1_u64 << differing.len().saturating_sub(1);
        count(&first, &second);
        for step in 1..half {
            flip(step.trailing_zeros() as usize, &mut first, &mut second);
            count(&first, &second);
        }
        half
    } else {
        let mut random = stream(seed, 2);
        for _ in 0..draws {
            let mut bits = 0_u64;
            for at in 0..differing.len() {
                if at % 64 == 0 {
                    bits = random.next_u64();
                }
                if bits >> (at % 64) & 1 == 1 {
                    flip(at, &mut first, &mut second);
                }
            }
            count(&first, &second);
        }
        draws as u64
    };
    results(seen, hits, rounds, exact)
}

/// Deals recordings out to the arms anew, as many to each as before.
#[must_use]
pub fn apart<const N: usize, const K: usize>(
    first: &[[f64; N]],
    second: &[[f64; N]],
    draws: usize,
    seed: u64,
    figures: impl Fn(&[f64; N], &[f64; N]) -> [Option<f64>; K],
) -> [Option<Tested>; K] {
    let seen = figures(&sum(first.iter()), &sum(second.iter()));
    let mut all: Vec<&[f64; N]> = first.iter().chain(second).collect();
    let mut random = stream(seed, 3);
    let mut hits = [0_u64; K];
    for _ in 0..draws {
        for at in 0..first.len() {
            let other = random.random_range(at..all.len());
            all.swap(at, other);
        }
        let (one, two) = all.split_at(first.len());
        let values = figures(&sum(one.iter().copied()), &sum(two.iter().copied()));
        for ((hits, seen), value) in hits.iter_mut().zip(seen).zip(values) {
            *hits += u64::from(seen.is_some_and(|seen| as_great(value, seen)));
        }
    }
    results(seen, hits, draws as u64, false)
}

fn results<const K: usize>(seen: [Option<f64>; K], hits: [u64; K], rounds: u64, exact: bool) -> [Option<Tested>; K] {
    let added = u64::from(!exact);
    std::array::from_fn(|at| {
        seen[at].map(|_| Tested {
            p: (hits[at] + added) as f64 / (rounds + added) as f64,
            exact,
        })
    })
}
