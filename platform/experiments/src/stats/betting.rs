//! A test that may be looked at as often as one likes: a gambler bets against "the mean is m", and who doubts m long enough and
//! is right grows rich. By Ville's inequality the stake of one ever reaches 1/alpha with a probability of at most alpha if the
//! mean is m, however often one looks and whenever one stops.
//!
//! Waudby-Smith, Ramdas 2024, Estimating means of bounded random variables by betting, J. R. Stat. Soc. B 86:1: the hedged
//! process, half of the stake on "more than m", half on "less", each spread evenly over fixed bets (their diversified bets, in
//! the way of Cover's universal portfolio), so that nothing has to be guessed about the variance. Wealth does not depend on
//! the order of the values, only the most it ever was does.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parts of the greatest bet allowed, from cautious to bold. The greatest would lose all with one value at the far end. Differences
/// between versions are small beside the range from -1 to 1 that they could have, for which bold bets are the better ones.
pub const BETS: [f64; 8] = [0.04, 0.1, 0.2, 0.35, 0.5, 0.67, 0.83, 0.97];

/// The bets against one mean, over values from 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Wager {
    mean: f64,
    above: [f64; BETS.len()],
    below: [f64; BETS.len()],
    most_above: f64,
    most_below: f64,
}

impl Wager {
    /// Against that mean, above 0 and below 1.
    #[must_use]
    pub fn against(mean: f64) -> Self {
        Self {
            mean,
            above: [1.0; BETS.len()],
            below: [1.0; BETS.len()],
            most_above: 1.0,
            most_below: 1.0,
        }
    }

    /// The next value; outside 0 to 1 it is held at the end, and one that is no number is passed over.
    pub fn see(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        let value = value.clamp(0.0, 1.0);
        for (at, bet) in BETS.iter().enumerate() {
            // Held below infinity: far above any threshold, what is added to it does not matter.
            self.above[at] = (self.above[at] * (1.0 + bet / self.mean * (value - self.mean))).min(1e200);
            self.below[at] = (self.below[at] * (1.0 - bet / (1.0 - self.mean) * (value - self.mean))).min(1e200);
        }
        self.most_above = self.most_above.max(super::mean(&self.above));
        self.most_below = self.most_below.max(super::mean(&self.below));
    }

    /// The evidence against the mean, the most there ever was: an e-value, and its inverse is a p-value that may be looked at
    /// at any time.
    #[must_use]
    pub fn evidence(&self) -> f64 {
        0.5 * self.most_above.max(self.most_below)
    }

    /// The evidence against "at most this mean" alone, all of the stake on "more".
    #[must_use]
    pub fn evidence_for_more(&self) -> f64 {
        self.most_above
    }
}

/// What a sequence of values says about its mean, at every look.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ConfidenceSequence")]
pub struct Sequence {
    /// Lower end of the confidence sequence.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Evidence against a mean of nothing; a level of 95 % asks for 20.
    pub e_value: f64,
    /// After how many values the level was reached, if it was.
    pub decided_at: Option<u64>,
}

/// The confidence sequence of the mean of values between `least` and `most`, at `alpha`, with the evidence against `null`.
/// All that was ever excluded stays excluded.
#[must_use]
pub fn sequence(values: &[f64], least: f64, most: f64, null: f64, alpha: f64) -> Sequence {
    let scaled: Vec<f64> = values.iter().map(|value| (value - least) / (most - least)).collect();
    let mut wager = Wager::against(((null - least) / (most - least)).clamp(1e-9, 1.0 - 1e-9));
    let mut decided_at = None;
    for (at, value) in scaled.iter().enumerate() {
        wager.see(*value);
        if decided_at.is_none() && wager.evidence() >= 1.0 / alpha {
            decided_at = Some(at as u64 + 1);
        }
    }
    let back = |mean: f64| least + mean * (most - least);
    let (low, high) = bounds(&scaled, alpha);
    Sequence {
        low: back(low),
        high: back(high),
        e_value: wager.evidence(),
        decided_at,
    }
}

/// The two means between which nothing is excluded. Wealth on "more" falls as the mean rises, and the other way round, so each
/// end is found by halving; the side that is excluded is given, never the one that is not.
fn bounds(values: &[f64], alpha: f64) -> (f64, f64) {
    let excluded = |mean: f64, more: bool| {
        let mut wager = Wager::against(mean);
        values.iter().any(|value| {
            wager.see(*value);
            let most = if more { wager.most_above } else { wager.most_below };
            0.5 * most >= 1.0 / alpha
        })
    };
    let end = |more: bool| {
        let (mut out, mut inside) = if more { (0.0, 1.0) } else { (1.0, 0.0) };
        for _ in 0..40 {
            let middle = 0.5 * (out + inside);
            if excluded(middle, more) {
                out = middle;
            } else {
                inside = middle;
            }
        }
        out
    };
    (end(true), end(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_excludes_nothing_exactly_where_the_evidence_suffices() {
        for shift in [-0.3, -0.05, 0.0, 0.04, 0.2] {
            let values: Vec<f64> = (0..150)
                .map(|at| shift + 0.1 * f64::from(at * 7 % 11 - 5) / 5.0)
                .collect();
            let found = sequence(&values, -1.0, 1.0, 0.0, 0.05);
            let excluded = found.low > 0.0 || found.high < 0.0;
            assert_eq!(excluded, found.decided_at.is_some(), "{shift}: {found:?}");
            assert_eq!(excluded, found.e_value >= 20.0);
            assert!(found.low < shift && shift < found.high);
        }
        let nothing = sequence(&[], -1.0, 1.0, 0.0, 0.05);
        assert_eq!((nothing.low, nothing.high, nothing.e_value), (-1.0, 1.0, 0.5));
        let absurd = sequence(&[f64::NAN, f64::INFINITY, -7.0], -1.0, 1.0, 0.0, 0.05);
        // What is no number is passed over, what is too great is held at the end.
        assert!(-1.0 < absurd.low && absurd.low < -0.9 && 0.9 < absurd.high && absurd.high < 1.0);
    }
}
