//! How much can be seen with so many recordings, and how many more are needed.

use super::Settings;
use crate::stats::betting::Wager;
use crate::stats::{deviation, mean, normal, stream};
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Experiments that are played through to see how long the sequential test takes, and recordings after which they end.
const PLAYED: usize = 100;
const LONGEST: usize = 5000;

/// What can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Power {
    /// The standard deviation between units: of the difference, paired; of both arms' values together, apart.
    pub deviation: f64,
    /// The smallest difference that so many units show at one look, at the level and power of the settings.
    pub detectable: f64,
    /// How many more units a difference of `worth` asks for.
    pub more: Needed,
}

/// Units on top of those there are; apart, of both arms together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "NeededRecordings")]
pub struct Needed {
    /// At one look.
    pub one_look: u64,
    /// Looking all the time; `None` apart, or where even 5,000 would not do.
    pub every_look: Option<u64>,
}

/// Standard normal quantiles of level and power, added.
fn quantiles(settings: &Settings) -> f64 {
    normal::quantile(1.0 - 0.5 * settings.level()) + normal::quantile(settings.power)
}

/// Units that a difference needs at one look, paired: (z(1 - alpha/2) + z(power))^2 variance / difference^2.
#[must_use]
pub fn units_needed(deviation: f64, difference: f64, settings: &Settings) -> f64 {
    (quantiles(settings) * deviation / difference).powi(2).ceil()
}

pub(super) fn paired(differences: &[f64], settings: &Settings, every: bool) -> Option<Power> {
    let deviation = deviation(differences)?;
    let number = differences.len() as f64;
    let needed = units_needed(deviation, settings.worth, settings);
    Some(Power {
        deviation,
        detectable: quantiles(settings) * deviation / number.sqrt(),
        more: Needed {
            one_look: (needed - number).max(0.0) as u64,
            every_look: every
                .then(|| played(differences, settings))
                .flatten()
                .map(|units| units.saturating_sub(differences.len() as u64)),
        },
    })
}

pub(super) fn apart(champion: &[f64], challenger: &[f64], settings: &Settings) -> Option<Power> {
    let (one, two) = (deviation(champion)?, deviation(challenger)?);
    let (first, second) = (champion.len() as f64, challenger.len() as f64);
    // As long as the arms keep their proportions.
    let error = (one * one / first + two * two / second).sqrt();
    let times = (quantiles(settings) * error / settings.worth).powi(2);
    Some(Power {
        deviation: (one * one + two * two).sqrt(),
        detectable: quantiles(settings) * error,
        more: Needed {
            one_look: ((first + second) * (times - 1.0)).max(0.0).ceil() as u64,
            every_look: None,
        },
    })
}

/// After how many units the sequential test has found a difference of `worth` with the power asked for: experiments played
/// through with the differences seen, moved so that their mean is `worth`.
fn played(differences: &[f64], settings: &Settings) -> Option<u64> {
    let shift = settings.worth - mean(differences);
    let mut random = stream(settings.seed, 4);
    let threshold = 1.0 / settings.level();
    let mut lengths: Vec<usize> = (0..PLAYED)
        .map(|_| {
            let mut wager = Wager::against(0.5);
            (1..=LONGEST)
                .find(|_| {
                    let value = differences[random.random_range(0..differences.len())] + shift;
                    wager.see(0.5 * (value + 1.0));
                    wager.evidence() >= threshold
                })
                .unwrap_or(usize::MAX)
        })
        .collect();
    lengths.sort_unstable();
    let at = ((settings.power * PLAYED as f64).ceil() as usize).clamp(1, PLAYED) - 1;
    lengths
        .get(at)
        .filter(|length| **length <= LONGEST)
        .map(|length| *length as u64)
}
