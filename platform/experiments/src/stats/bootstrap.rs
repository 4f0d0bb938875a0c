//! Intervals by drawing whole recordings anew (cluster bootstrap).
//!
//! BCa (Efron 1987, J. Am. Stat. Assoc. 82:171) where it exists: F1 over recordings is skewed, because a few recordings hold most
//! ectopic beats, and the plain percentile interval then lies too far to one side. Where all draws are alike BCa does not
//! exist, and the percentile interval stands in its place and says so.

use super::{normal, stream};
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How an interval was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BootstrapMethod")]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Bias corrected and accelerated.
    Bca,
    /// Percentiles of the draws.
    Percentile,
}

/// An interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ComparisonInterval")]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// How it was made.
    pub method: Method,
}

impl Interval {
    /// Whether the value lies inside, ends included.
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// Draws, and the figure without one unit after the other: one list for each sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Drawn {
    /// The figure of all units.
    pub estimate: f64,
    /// Of each draw of as many units with replacement.
    pub draws: Vec<f64>,
    /// Of all units but one.
    pub without: Vec<Vec<f64>>,
}

/// What to draw: how often, from which seed, to what level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Number of draws.
    pub draws: usize,
    /// Seed of the random stream.
    pub seed: u64,
    /// 0.95 for 95 %.
    pub level: f64,
}

/// Draws units of each sample anew and works out `K` figures of the sums of their `N` counts. A figure without a value for
/// all units, or for more than half of the draws, has none.
///
/// The time goes with draws times units times `N`.
#[must_use]
pub fn draw<const N: usize, const K: usize>(
    samples: &[&[[f64; N]]],
    plan: &Plan,
    figures: impl Fn(&[[f64; N]]) -> [Option<f64>; K],
) -> [Option<Drawn>; K] {
    let totals: Vec<[f64; N]> = samples.iter().map(|units| sum(units.iter())).collect();
    let estimates = figures(&totals);
    if plan.draws == 0 || samples.iter().any(|units| units.len() < 2) {
        return [const { None }; K];
    }
    let mut drawn = [const { Vec::new() }; K];
    let mut random = stream(plan.seed, 1);
    for _ in 0..plan.draws {
        let totals: Vec<[f64; N]> = samples
            .iter()
            .map(|units| sum((0..units.len()).map(|_| &units[random.random_range(0..units.len())])))
            .collect();
        for (draws, value) in drawn.iter_mut().zip(figures(&totals)) {
            draws.extend(value);
        }
    }
    let mut without = [const { Vec::new() }; K];
    for (at, units) in samples.iter().enumerate() {
        without
            .iter_mut()
            .for_each(|lists: &mut Vec<Vec<f64>>| lists.push(Vec::with_capacity(units.len())));
        for unit in *units {
            let mut totals = totals.clone();
            totals[at]
                .iter_mut()
                .zip(unit)
                .for_each(|(total, count)| *total -= count);
            for (lists, value) in without.iter_mut().zip(figures(&totals)) {
                lists[at].extend(value);
            }
        }
    }
    let mut parts = estimates.into_iter().zip(drawn).zip(without);
    std::array::from_fn(|_| {
        let ((estimate, draws), without) = parts.next()?;
        let estimate = estimate?;
        (draws.len() * 2 > plan.draws).then_some(Drawn {
            estimate,
            draws,
            without,
        })
    })
}

/// [`draw`], and the intervals.
#[must_use]
pub fn intervals<const N: usize, const K: usize>(
    samples: &[&[[f64; N]]],
    plan: &Plan,
    figures: impl Fn(&[[f64; N]]) -> [Option<f64>; K],
) -> [Option<Interval>; K] {
    draw(samples, plan, figures).map(|drawn| drawn.map(|drawn| drawn.interval(plan.level)))
}

pub(crate) fn sum<'a, const N: usize>(units: impl Iterator<Item = &'a [f64; N]>) -> [f64; N] {
    let mut total = [0.0; N];
    for unit in units {
        total.iter_mut().zip(unit).for_each(|(total, count)| *total += count);
    }
    total
}

impl Drawn {
    /// The BCa interval, as `scipy.stats.bootstrap` defines it for one sample and for several; percentiles where there is none.
    #[must_use]
    pub fn interval(&self, level: f64) -> Interval {
        let mut sorted = self.draws.clone();
        sorted.sort_by(f64::total_cmp);
        let tail = 0.5 * (1.0 - level);
        let (low, high, method) = match self.corrected(tail) {
            Some((low, high)) => (low, high, Method::Bca),
            None => (tail, 1.0 - tail, Method::Percentile),
        };
        Interval {
            low: percentile(&sorted, low),
            high: percentile(&sorted, high),
            method,
        }
    }

    /// The two percentiles, corrected for bias and skew.
    fn corrected(&self, tail: f64) -> Option<(f64, f64)> {
        let share = |keep: &dyn Fn(f64) -> bool| self.draws.iter().filter(|value| keep(**value)).count() as f64;
        let below = share(&|value| value < self.estimate) + share(&|value| value <= self.estimate);
        let bias = normal::quantile(below / (2.0 * self.draws.len() as f64));
        let (mut cubes, mut squares) = (0.0, 0.0);
        for without in &self.without {
            let number = without.len() as f64;
            let mean = super::mean(without);
            let influence = |value: &f64| (number - 1.0) * (mean - value);
            cubes += without.iter().map(|value| influence(value).powi(3)).sum::<f64>() / number.powi(3);
            squares += without.iter().map(|value| influence(value).powi(2)).sum::<f64>() / number.powi(2);
        }
        let skew = cubes / (6.0 * squares.powf(1.5));
        let at = |p: f64| {
            let z = bias + normal::quantile(p);
            normal::below(bias + z / (1.0 - skew * z))
        };
        let (low, high) = (at(tail), at(1.0 - tail));
        (bias.is_finite() && low.is_finite() && high.is_finite() && low < high).then_some((low, high))
    }
}

/// By linear interpolation between sorted values, as `numpy.percentile` does; NaN of nothing.
#[must_use]
pub fn percentile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = share.clamp(0.0, 1.0) * last as f64;
    let (floor, part) = (place.floor() as usize, place.fract());
    sorted[floor] + part * (sorted[(floor + 1).min(last)] - sorted[floor])
}
