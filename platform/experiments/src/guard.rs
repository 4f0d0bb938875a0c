//! When a challenger is withdrawn without anybody's asking.
//!
//! Pure: whoever measures gives a window of both arms, whoever rules acts on the ruling. A rail breaks only where there is
//! enough to see; nothing here ever promotes.

use crate::drift::index;
use crate::stats::betting::Wager;
use crate::stats::{deviation, mean, normal, stream};
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Failures that say something however few the requests are: of ten that hang, no fifty need to be waited for.
const FAILED: u64 = 10;
/// Classes, and what was withheld.
const CLASSES: usize = 6;

/// The rails. A rail that is `None` is off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Rails {
    /// Requests of the challenger below which empty outputs say nothing, and errors where fewer than ten failed; latency says nothing
    /// below ten times as many, for the 99th percentile of a few is the slowest of them.
    pub least_requests: u64,
    /// People of each arm below which class shares and withheld beats say nothing, and new ones before they are looked at again.
    pub least_recordings: u64,
    /// Share of requests that failed or timed out, above the champion's.
    pub errors: Option<f64>,
    /// The 99th percentile of latency, as a multiple of the champion's.
    pub p99: Option<f64>,
    /// Share of answers that are empty or not finite.
    pub empty: Option<f64>,
    /// Mean share of a person's beats that are withheld, above the champion's, less three standard errors or more.
    pub withheld: Option<f64>,
    /// Population stability index of class shares against the champion's.
    pub class_shares: Option<f64>,
    /// Evidence that people relabel the challenger's beats more than the champion's: an e-value, so it may be looked at all the
    /// time; 20 is wrong in at most 5 % of experiments.
    pub relabels: Option<f64>,
    /// Beats of the frozen sentinel set that the champion finds and the challenger does not.
    pub sentinel_misses: Option<u64>,
    /// Seconds before a withdrawn challenger may come back.
    pub cool_down_s: u64,
}

impl Default for Rails {
    fn default() -> Self {
        Self {
            least_requests: 50,
            least_recordings: 20,
            errors: Some(0.02),
            p99: Some(2.0),
            empty: Some(0.01),
            withheld: Some(0.1),
            class_shares: Some(0.25),
            relabels: Some(20.0),
            sentinel_misses: Some(0),
            cool_down_s: 3600,
        }
    }
}

/// What an arm did lately.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Window {
    /// Requests.
    pub requests: u64,
    /// That failed.
    pub errors: u64,
    /// That timed out.
    pub timeouts: u64,
    /// Answers that were empty or not finite.
    pub empty: u64,
    /// The 99th percentile of latency, in seconds; none of fewer than ten times [`Rails::least_requests`].
    pub p99_s: Option<f64>,
    /// Beats called N, S, V, F, Q and withheld, of each person's recordings together: recordings of one person are alike.
    pub classes: Vec<[u64; CLASSES]>,
    /// How often class shares and withheld beats were looked at before, with fewer or other people; of the challenger only. Each
    /// further look must be surer.
    pub earlier_looks: u32,
    /// Too few people are new since the look before: class shares and withheld beats are passed over. Of the challenger only.
    pub looked_already: bool,
    /// Evidence that people relabel it more than the champion, as [`Relabels`] gives it; of the challenger only.
    pub relabels: Option<f64>,
    /// Misses on the sentinel set that the champion does not have; of the challenger only.
    pub sentinel_misses: Option<u64>,
}

/// A rail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "as in the rails")]
pub enum Rail {
    Errors,
    P99,
    Empty,
    Withheld,
    ClassShares,
    Relabels,
    SentinelMisses,
}

/// A rail that broke.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BrokenRail")]
pub struct Broken {
    /// Which.
    pub rail: Rail,
    /// What was seen.
    pub seen: f64,
    /// What was allowed.
    pub limit: f64,
    /// In words, for the audit trail.
    pub reason: String,
}

/// Whether the challenger goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ruling {
    /// It goes.
    pub withdraw: bool,
    /// Why, all rails that broke.
    pub broken: Vec<Broken>,
    /// Rails for which there was not enough to see.
    pub undecided: Vec<Rail>,
    /// Seconds before it may come back; none where it stays.
    pub cool_down_s: Option<u64>,
}

/// Rules on a challenger.
#[must_use]
pub fn rule(rails: &Rails, champion: &Window, challenger: &Window) -> Ruling {
    let mut broken = Vec::new();
    let mut undecided = Vec::new();
    let mut check = |rail: Rail, limit: Option<f64>, seen: Option<f64>, reason: &dyn Fn(f64, f64) -> String| {
        let Some(limit) = limit else { return };
        match seen.filter(|seen| !seen.is_nan()) {
            None => undecided.push(rail),
            Some(seen) if seen > limit => broken.push(Broken {
                rail,
                seen,
                limit,
                reason: reason(seen, limit),
            }),
            Some(_) => {}
        }
    };
    let percent = |value: f64| format!("{:.1} %", 100.0 * value);
    let enough = challenger.requests >= rails.least_requests.max(1);
    let failing =
        |window: &Window| window.errors.saturating_add(window.timeouts) as f64 / window.requests.max(1) as f64;
    let failed = challenger.errors.saturating_add(challenger.timeouts);
    let above = (enough || failed >= FAILED).then(|| excess(challenger, champion, failing));
    check(Rail::Errors, rails.errors, above, &|seen, limit| {
        format!(
            "{} more requests fail than with the champion, for certain; {} is allowed",
            percent(seen),
            percent(limit)
        )
    });
    let times = challenger
        .p99_s
        .zip(champion.p99_s.filter(|p99| *p99 > 0.0))
        .filter(|_| enough);
    check(
        Rail::P99,
        rails.p99,
        times.map(|(one, two)| one / two),
        &|seen, limit| format!("the 99th percentile of latency is {seen:.1} times the champion's; {limit} is allowed"),
    );
    let empty = |window: &Window| window.empty as f64 / window.requests.max(1) as f64;
    let above = enough.then(|| excess(challenger, champion, empty));
    check(Rail::Empty, rails.empty, above, &|seen, limit| {
        format!(
            "{} more answers are empty or not finite, for certain; {} is allowed",
            percent(seen),
            percent(limit)
        )
    });
    if !challenger.looked_already {
        let people = champion.classes.len().min(challenger.classes.len()) as u64;
        let many = people >= rails.least_recordings.max(2);
        let level = level(challenger.earlier_looks);
        let more = many.then(|| withheld_more(champion, challenger, level));
        check(Rail::Withheld, rails.withheld, more, &|seen, limit| {
            format!(
                "{} more beats are withheld, for certain, over {people} people; {} is allowed",
                percent(seen),
                percent(limit)
            )
        });
        let least = rails.class_shares.unwrap_or(f64::INFINITY);
        let moved = many.then(|| beyond_chance(&champion.classes, &challenger.classes, least, level));
        check(Rail::ClassShares, rails.class_shares, moved, &|seen, limit| {
            format!("class shares moved by an index of {seen:.2} over {people} people; {limit} is allowed")
        });
    }
    // Evidence that reaches the limit breaks it.
    check(
        Rail::Relabels,
        rails.relabels.map(f64::next_down),
        challenger.relabels,
        &|seen, _| format!("people relabel its beats more than the champion's: evidence of {seen:.0} to 1"),
    );
    let misses = challenger.sentinel_misses.map(|misses| misses as f64);
    check(
        Rail::SentinelMisses,
        rails.sentinel_misses.map(|most| most as f64),
        misses,
        &|seen, limit| {
            format!("{seen} beats of the sentinel set are missed that the champion finds; {limit} are allowed")
        },
    );
    Ruling {
        withdraw: !broken.is_empty(),
        cool_down_s: (!broken.is_empty()).then_some(rails.cool_down_s),
        broken,
        undecided,
    }
}

/// How much greater a share is than the champion's, less three standard errors: a single failure of fifty is no reason.
fn excess(challenger: &Window, champion: &Window, share: impl Fn(&Window) -> f64) -> f64 {
    // Two failures and two successes are added, so that a share of nothing has an error too (Agresti, Coull 1998).
    let error = |window: &Window| {
        let number = window.requests as f64 + 4.0;
        let share = ((share(window) * window.requests as f64 + 2.0) / number).clamp(0.0, 1.0);
        share * (1.0 - share) / number
    };
    let known = if champion.requests == 0 { 0.0 } else { share(champion) };
    let spread = error(challenger) + if champion.requests == 0 { 0.0 } else { error(champion) };
    share(challenger) - known - 3.0 * spread.sqrt()
}

/// The probability that one look raises an alarm by chance: 1 % for all looks together, a half of it for the first, a sixth for the
/// second, 1 / (k (k + 1)) for the k-th, but never less than one in ten thousand.
fn level(earlier_looks: u32) -> f64 {
    let look = f64::from(earlier_looks) + 1.0;
    (0.01 / (look * (look + 1.0))).max(1e-4)
}

/// How much more of a person's beats the challenger withholds, in the mean over people, less three standard errors, or more where the
/// level asks for it.
fn withheld_more(champion: &Window, challenger: &Window, level: f64) -> f64 {
    let errors = normal::quantile(1.0 - level).max(3.0);
    let of = |window: &Window| {
        let shares: Vec<f64> = shares(&window.classes).map(|shares| shares[CLASSES - 1]).collect();
        let spread = deviation(&shares).unwrap_or(0.0).powi(2) / shares.len().max(1) as f64;
        (mean(&shares), spread)
    };
    let ((one, spread), (two, more_spread)) = (of(champion), of(challenger));
    two - one - errors * (spread + more_spread).sqrt()
}

/// Each class's share of the beats of each person who has any.
fn shares(recordings: &[[u64; CLASSES]]) -> impl Iterator<Item = [f64; CLASSES]> {
    recordings.iter().filter_map(|counts| {
        let all: f64 = counts.iter().map(|count| *count as f64).sum();
        (all > 0.0).then(|| counts.map(|count| count as f64 / all))
    })
}

/// The index of class shares, each the mean over people with beats; zero where it is no more than `least`, or as great a one comes about
/// by dealing the people out to the arms anew in more than that share of the draws.
fn beyond_chance(champion: &[[u64; CLASSES]], challenger: &[[u64; CLASSES]], least: f64, level: f64) -> f64 {
    let mut all: Vec<[f64; CLASSES]> = shares(champion).collect();
    let ours = all.len();
    all.extend(shares(challenger));
    let theirs = all.len() - ours;
    if ours == 0 || theirs == 0 {
        return 0.0;
    }
    let sum = |people: &[[f64; CLASSES]]| {
        let add = |sum: [f64; CLASSES], share: &[f64; CLASSES]| std::array::from_fn(|at| sum[at] + share[at]);
        people.iter().fold([0.0; CLASSES], add)
    };
    let total = sum(&all);
    // Of the first people against the rest.
    let of = |all: &[[f64; CLASSES]]| {
        let first = sum(&all[..ours]);
        let held = |share: f64| share.max(1e-4);
        let one: [f64; CLASSES] = std::array::from_fn(|at| held(first[at] / ours as f64));
        let two: [f64; CLASSES] = std::array::from_fn(|at| held((total[at] - first[at]) / theirs as f64));
        index(&one, &two)
    };
    let seen = of(&all);
    if seen <= least {
        return 0.0;
    }
    let mut random = stream(57, 6);
    // As many that p can be a third of the level, counting what was seen as one of them.
    let draws = (3.0 / level).ceil() - 1.0;
    let most = (level * (draws + 1.0)).floor() as u64;
    let mut as_great = 1;
    for _ in 0..draws as u64 {
        for at in 0..ours {
            let other = random.random_range(at..all.len());
            all.swap(at, other);
        }
        // Sums that differ by rounding alone are the same.
        as_great += u64::from(of(&all) >= seen * (1.0 - 1e-9));
        if as_great > most {
            return 0.0;
        }
    }
    seen
}

/// The evidence that the challenger's recordings are relabelled more than the champion's, over all that somebody read: the i-th of one
/// against the i-th of the other, a bet on "more". Each recording is given once, in the order in which it was read; then one may look after
/// every recording, and an equal challenger ever shows evidence of E with a probability of at most 1/E.
#[derive(Debug, Clone)]
pub struct Relabels {
    wager: Wager,
    /// Of the arm that is ahead, what the other has no match for yet: the champion's, the challenger's.
    waiting: [VecDeque<f64>; 2],
    pairs: u64,
}

impl Default for Relabels {
    fn default() -> Self {
        Self {
            wager: Wager::against(0.5),
            waiting: Default::default(),
            pairs: 0,
        }
    }
}

impl Relabels {
    /// The share of its beats that were relabelled, 0 to 1, of a recording that the champion answered and of one that the challenger did; of
    /// one alone where they answer recordings of their own.
    pub fn see(&mut self, champion: Option<f64>, challenger: Option<f64>) {
        for (waiting, share) in self.waiting.iter_mut().zip([champion, challenger]) {
            waiting.extend(share.filter(|share| !share.is_nan()));
        }
        let [one, two] = &mut self.waiting;
        while let (Some(champion), Some(challenger)) = (one.front(), two.front()) {
            self.wager.see(0.5 * (challenger - champion + 1.0));
            self.pairs += 1;
            one.pop_front();
            two.pop_front();
        }
    }

    /// To one; none before both arms have a recording that somebody read.
    #[must_use]
    pub fn evidence(&self) -> Option<f64> {
        (self.pairs > 0).then(|| self.wager.evidence_for_more())
    }
}
