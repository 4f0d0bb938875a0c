//! Beats in groups: couplets, triplets, runs, bigeminy and trigeminy, pauses.

use super::{Stretch, round};
use crate::beat::BeatClass;
use schemars::JsonSchema;
use serde::Serialize;

/// A pause lasts at least so long.
const PAUSE_S: f64 = 2.0;
/// Cycles that make a bigeminy or trigeminy.
const CYCLES: usize = 3;

/// A figure for each ectopic class.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct PerClass<T> {
    /// Supraventricular.
    #[serde(rename = "S")]
    pub s: T,
    /// Ventricular.
    #[serde(rename = "V")]
    pub v: T,
}

impl<T> PerClass<T> {
    fn of(&mut self, class: BeatClass) -> Option<&mut T> {
        match class {
            BeatClass::S => Some(&mut self.s),
            BeatClass::V => Some(&mut self.v),
            _ => None,
        }
    }
}

/// Three or more ectopic beats of one class in a row.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Run {
    /// Of the first beat.
    pub start_s: f64,
    /// How many.
    pub beats: usize,
    /// From the first to the last of them.
    pub rate_bpm: f64,
    /// Three or more ventricular beats faster than 100 a minute.
    pub tachycardia: bool,
}

/// A stretch of bigeminy or trigeminy.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Episode {
    /// Of the first beat.
    pub start_s: f64,
    /// Of the last beat.
    pub end_s: f64,
    /// All beats in it.
    pub beats: usize,
}

/// A long interval without a beat.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Pause {
    /// Of the beat before.
    pub start_s: f64,
    /// To the beat after.
    pub duration_s: f64,
}

/// Ectopic beats by how many follow each other.
#[derive(Default)]
pub(super) struct Groups {
    pub(super) couplets: PerClass<usize>,
    pub(super) triplets: PerClass<usize>,
    pub(super) runs: PerClass<Vec<Run>>,
}

pub(super) fn groups(stretches: &[Stretch<'_>]) -> Groups {
    let mut groups = Groups::default();
    for stretch in stretches {
        for group in stretch.chunk_by(|a, b| a.1 == b.1) {
            let (first, last, class) = (group[0].0, group[group.len() - 1].0, group[0].1);
            match group.len() {
                2 => groups.couplets.of(class).into_iter().for_each(|count| *count += 1),
                3.. => {
                    if group.len() == 3 {
                        groups.triplets.of(class).into_iter().for_each(|count| *count += 1);
                    }
                    let rate_bpm = (600.0 * (group.len() - 1) as f64 / (last - first)).round() / 10.0;
                    let tachycardia = class == BeatClass::V && rate_bpm > 100.0;
                    let run = Run {
                        start_s: round(first),
                        beats: group.len(),
                        rate_bpm,
                        tachycardia,
                    };
                    groups
                        .runs
                        .of(class)
                        .into_iter()
                        .for_each(|runs| runs.push(run.clone()));
                }
                _ => {}
            }
        }
    }
    groups
}

/// Bigeminy (a ventricular beat after every other beat) and trigeminy (after every second other beat).
pub(super) fn alternations(stretches: &[Stretch<'_>]) -> (Vec<Episode>, Vec<Episode>) {
    let find = |period: usize| {
        let mut episodes = Vec::new();
        for stretch in stretches {
            let mut start = 0;
            while start < stretch.len() {
                // Ends with a ventricular beat: the cycle is complete with it.
                let fits =
                    |index: &usize| (stretch[*index].1 == BeatClass::V) == ((index - start) % period == period - 1);
                let length = (start..stretch.len()).take_while(fits).count() / period * period;
                if length >= CYCLES * period {
                    let end = start + length;
                    episodes.push(Episode {
                        start_s: round(stretch[start].0),
                        end_s: round(stretch[end - 1].0),
                        beats: length,
                    });
                    start = end;
                } else {
                    start += 1;
                }
            }
        }
        episodes
    };
    (find(2), find(3))
}

pub(super) fn pauses(stretches: &[Stretch<'_>]) -> Vec<Pause> {
    stretches
        .iter()
        .flat_map(|stretch| stretch.windows(2))
        .filter(|pair| pair[1].0 - pair[0].0 >= PAUSE_S)
        .map(|pair| Pause {
            start_s: round(pair[0].0),
            duration_s: round(pair[1].0 - pair[0].0),
        })
        .collect()
}
