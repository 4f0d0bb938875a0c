//! What each arm did on this server, since its traffic changed last.

use super::outcome::Outcome;
use einthoven_classify::ServedModel;
use einthoven_serving::Arm;
use einthoven_telemetry::ArmReading;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Times that the 99th percentile is taken of.
const MOST_TIMES: usize = 4096;
/// What an arm did is counted by the minute.
const MINUTE_S: i64 = 60;
/// Minutes that shares are taken over: the fewest in which there is enough to see. What is older counts no more.
const SPANS: [i64; 4] = [10, 60, 6 * 60, 24 * 60];

/// Counts by arm.
#[derive(Default)]
pub(crate) struct Meters {
    all: Mutex<BTreeMap<Name, Meter>>,
    /// Shadows that were left out, of whichever experiment.
    dropped: AtomicU64,
    /// Challengers that were withdrawn.
    withdrawn: AtomicU64,
}

/// Model, experiment and version.
type Name = (String, String, String);

/// A version in an experiment of a model, as it takes part since an entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ArmOf {
    pub(crate) model: String,
    pub(crate) experiment: String,
    pub(crate) version: String,
    pub(crate) since: u64,
}

#[derive(Default)]
struct Meter {
    since: u64,
    seen: Seen,
    /// By minute since 1970, in order.
    minutes: VecDeque<(i64, Counts)>,
    /// Seconds in the engine with the minute, the newest last.
    times_s: VecDeque<(i64, f64)>,
}

/// What one arm did.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[schemars(rename = "SeenHere")]
pub(crate) struct Seen {
    /// Requests that were its own, whatever became of them.
    pub(crate) requests: u64,
    /// The engine failed.
    pub(crate) errors: u64,
    /// The deadline passed.
    pub(crate) timeouts: u64,
    /// No beat was given a class.
    pub(crate) empty: u64,
    /// The 99th percentile of the time in the engine, of the newest requests.
    pub(crate) p99_s: Option<f64>,
    /// Left out because too much waited; of a shadow only.
    pub(crate) dropped: u64,
    /// That wait now; of a shadow only.
    pub(crate) waiting: u64,
}

/// What an arm did lately.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Lately {
    pub(crate) counts: Counts,
    pub(crate) p99_s: Option<f64>,
}

/// How requests ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    pub(crate) timeouts: u64,
    pub(crate) empty: u64,
}

impl Meters {
    /// Counts how a request ended.
    pub(crate) fn saw(&self, arm: &ArmOf, outcome: Outcome) {
        self.saw_at(arm, outcome, jiff::Timestamp::now().as_second());
    }

    fn saw_at(&self, arm: &ArmOf, outcome: Outcome, at_s: i64) {
        self.change(arm, |meter| {
            // A clock that is put back makes no new minute.
            let minute = meter.minutes.back().map_or(i64::MIN, |(minute, _)| *minute);
            let minute = minute.max(at_s.div_euclid(MINUTE_S));
            let oldest = minute - SPANS[SPANS.len() - 1];
            while meter.minutes.front().is_some_and(|(at, _)| *at <= oldest) {
                meter.minutes.pop_front();
            }
            if meter.minutes.back().is_none_or(|(at, _)| *at != minute) {
                meter.minutes.push_back((minute, Counts::default()));
            }
            let Some((_, counts)) = meter.minutes.back_mut() else {
                return;
            };
            counts.requests += 1;
            meter.seen.requests += 1;
            match outcome {
                Outcome::Failed => {
                    counts.errors += 1;
                    meter.seen.errors += 1;
                }
                Outcome::Late => {
                    counts.timeouts += 1;
                    meter.seen.timeouts += 1;
                }
                Outcome::Answered { empty, seconds } => {
                    counts.empty += u64::from(empty);
                    meter.seen.empty += u64::from(empty);
                    meter.times_s.push_back((minute, seconds));
                    if meter.times_s.len() > MOST_TIMES {
                        meter.times_s.pop_front();
                    }
                }
            }
        });
    }

    /// A shadow was left out.
    pub(crate) fn dropped(&self, arm: &ArmOf) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        self.change(arm, |meter| meter.seen.dropped += 1);
    }

    /// One more waits, or one fewer.
    pub(crate) fn waits(&self, arm: &ArmOf, more: bool) {
        let mut all = self.lock();
        let waiting = &mut all.entry(arm.name()).or_default().seen.waiting;
        *waiting = if more { *waiting + 1 } else { waiting.saturating_sub(1) };
    }

    /// What an arm did since its traffic changed last.
    pub(crate) fn of(&self, arm: &ArmOf) -> Seen {
        let meters = self.lock();
        let Some(meter) = meters.get(&arm.name()) else {
            return Seen::default();
        };
        if meter.since != arm.since {
            return Seen {
                waiting: meter.seen.waiting,
                ..Seen::default()
            };
        }
        Seen {
            p99_s: p99(meter.times_s.iter().map(|(_, seconds)| *seconds).collect(), 1),
            ..meter.seen.clone()
        }
    }

    /// What the champion and a challenger did lately, both over the same time: the least of the spans in which the challenger had
    /// `least` requests, or ten times as many where it is about times. Of the champion only what it did since `from_s`, in seconds
    /// since 1970, when the challenger began.
    pub(crate) fn lately(&self, arms: [&ArmOf; 2], least: u64, from_s: i64) -> [Lately; 2] {
        self.lately_at(arms, least, from_s, jiff::Timestamp::now().as_second())
    }

    fn lately_at(&self, arms: [&ArmOf; 2], least: u64, from_s: i64, now_s: i64) -> [Lately; 2] {
        let meters = self.lock();
        let [champion, challenger] = arms.map(|arm| meters.get(&arm.name()).filter(|meter| meter.since == arm.since));
        let now = now_s.div_euclid(MINUTE_S);
        let begun = from_s.div_euclid(MINUTE_S);
        let counts = |meter: Option<&Meter>, minutes: i64| {
            meter.map_or_else(Counts::default, |m| m.counts(begun.max(now - minutes)))
        };
        let times =
            |meter: Option<&Meter>, minutes: i64| meter.map_or_else(Vec::new, |m| m.times(begun.max(now - minutes)));
        let longest = SPANS[SPANS.len() - 1];
        let enough = |span: &&i64| counts(challenger, **span).requests >= least;
        let span = SPANS.iter().find(enough).copied().unwrap_or(longest);
        let enough = |span: &&i64| times(challenger, **span).len() as u64 >= least.saturating_mul(10);
        let long = SPANS.iter().find(enough).copied().unwrap_or(longest);
        // The busier arm's times do not reach as far back.
        let kept = [champion, challenger].map(|meter| meter.map_or(i64::MIN, Meter::times_since));
        let from = kept.into_iter().fold(begun.max(now - long), i64::max);
        [champion, challenger].map(|meter| Lately {
            counts: counts(meter, span),
            p99_s: meter.and_then(|meter| p99(meter.times(from), least.saturating_mul(10))),
        })
    }

    /// What all arms did, for Prometheus.
    pub(crate) fn readings(&self) -> Vec<ArmReading> {
        let meters = self.lock();
        let reading = |((model, _, version), meter): (&Name, &Meter)| {
            let seen = &meter.seen;
            ArmReading {
                model: model.clone(),
                version: version.clone(),
                answered: seen.requests.saturating_sub(seen.errors + seen.timeouts),
                empty: seen.empty,
                failed: seen.errors,
                late: seen.timeouts,
                dropped: seen.dropped,
                waiting: seen.waiting,
            }
        };
        meters.iter().map(reading).collect()
    }

    /// Shadows that were left out, of all experiments.
    pub(crate) fn dropped_in_all(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Counts a challenger that this server withdrew.
    pub(crate) fn withdrew(&self) {
        self.withdrawn.fetch_add(1, Ordering::Relaxed);
    }

    /// Challengers that this server withdrew, of all experiments.
    pub(crate) fn withdrawals(&self) -> u64 {
        self.withdrawn.load(Ordering::Relaxed)
    }

    /// Forgets arms that take part no more.
    pub(crate) fn retain(&self, takes_part: impl Fn(&str, &str, &str) -> bool) {
        self.lock().retain(|(model, experiment, version), meter| {
            meter.seen.waiting > 0 || takes_part(model, experiment, version)
        });
    }

    fn change(&self, arm: &ArmOf, change: impl FnOnce(&mut Meter)) {
        let mut all = self.lock();
        let meter = all.entry(arm.name()).or_default();
        if meter.since < arm.since {
            *meter = Meter {
                since: arm.since,
                seen: Seen {
                    waiting: meter.seen.waiting,
                    ..Seen::default()
                },
                ..Meter::default()
            };
        }
        // What was asked for before the change is no evidence about what is now.
        if meter.since == arm.since {
            change(meter);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Name, Meter>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ArmOf {
    /// The arm that a version answers in.
    pub(crate) fn of(model: &ServedModel, arm: &Arm) -> Self {
        let manifest = model.manifest();
        Self {
            model: manifest.name.clone(),
            experiment: arm.experiment.clone(),
            version: manifest.version.clone(),
            since: arm.since,
        }
    }

    fn name(&self) -> Name {
        (self.model.clone(), self.experiment.clone(), self.version.clone())
    }
}

impl Meter {
    /// Of the minutes from that one on.
    fn counts(&self, from: i64) -> Counts {
        let lately = self.minutes.iter().rev().take_while(|(minute, _)| *minute >= from);
        lately.fold(Counts::default(), |sum, (_, counts)| Counts {
            requests: sum.requests + counts.requests,
            errors: sum.errors + counts.errors,
            timeouts: sum.timeouts + counts.timeouts,
            empty: sum.empty + counts.empty,
        })
    }

    /// The minute since which every time is kept.
    fn times_since(&self) -> i64 {
        let full = self.times_s.len() >= MOST_TIMES;
        self.times_s
            .front()
            .filter(|_| full)
            .map_or(i64::MIN, |(minute, _)| *minute)
    }

    fn times(&self, from: i64) -> Vec<f64> {
        let lately = self.times_s.iter().rev().take_while(|(minute, _)| *minute >= from);
        lately.map(|(_, seconds)| *seconds).collect()
    }
}

/// The 99th percentile of at least so many.
fn p99(mut times: Vec<f64>, least: u64) -> Option<f64> {
    if (times.len() as u64) < least.max(1) {
        return None;
    }
    times.sort_by(f64::total_cmp);
    let at = (times.len() * 99).div_ceil(100).saturating_sub(1);
    times.get(at).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arm(version: &str, since: u64) -> ArmOf {
        ArmOf {
            model: "heartbeat".to_owned(),
            experiment: "rr".to_owned(),
            version: version.to_owned(),
            since,
        }
    }

    fn good(seconds: f64) -> Outcome {
        let empty = false;
        Outcome::Answered { empty, seconds }
    }

    #[test]
    fn an_arm_is_counted_by_itself() {
        let meters = Meters::default();
        let (two, three) = (arm("2", 7), arm("3", 7));
        for number in 1..=200 {
            let (empty, seconds) = (number == 1, f64::from(number));
            meters.saw(&two, Outcome::Answered { empty, seconds });
        }
        meters.saw(&two, Outcome::Failed);
        meters.saw(&three, Outcome::Late);
        meters.dropped(&three);
        meters.waits(&three, true);
        let seen = meters.of(&two);
        assert_eq!((seen.requests, seen.errors, seen.timeouts, seen.empty), (201, 1, 0, 1));
        assert_eq!(seen.p99_s, Some(198.0));
        let seen = meters.of(&three);
        assert_eq!((seen.timeouts, seen.dropped, seen.waiting, seen.p99_s), (1, 1, 1, None));
        assert_eq!(meters.dropped_in_all(), 1);
        // Another model's version of the same name in an experiment of the same name is another arm.
        let other = ArmOf {
            model: "other".to_owned(),
            ..two
        };
        assert_eq!(meters.of(&other).requests, 0);
    }

    #[test]
    fn a_challenger_that_fails_after_long_being_good_is_seen_to_fail() {
        let meters = Meters::default();
        let (one, two) = (arm("1", 7), arm("2", 7));
        let day = 24 * 3600;
        for minute in 0..(day / 60) {
            for _ in 0..100 {
                meters.saw_at(&one, good(0.01), 60 * minute);
                meters.saw_at(&two, good(0.01), 60 * minute);
            }
        }
        for second in 0..300 {
            meters.saw_at(&one, good(0.01), day + second);
            meters.saw_at(
                &two,
                if second % 2 == 0 { Outcome::Failed } else { good(1.0) },
                day + second,
            );
        }
        // Over all, 150 of 144,300 failed; of the last minutes, a tenth or more.
        let [champion, challenger] = meters.lately_at([&one, &two], 50, 0, day + 300);
        assert!(
            challenger.counts.errors * 10 >= challenger.counts.requests,
            "{challenger:?}"
        );
        assert_eq!(champion.counts.errors, 0);
        assert_eq!((champion.p99_s, challenger.p99_s), (Some(0.01), Some(1.0)));
        // What is a day old says nothing any more.
        let [champion, challenger] = meters.lately_at([&one, &two], 50, 0, 3 * day);
        assert_eq!((champion, challenger), (Lately::default(), Lately::default()));
    }

    #[test]
    fn few_requests_are_looked_at_over_a_longer_time() {
        let meters = Meters::default();
        let two = arm("2", 7);
        for minute in 0..120 {
            meters.saw_at(&two, Outcome::Failed, 60 * minute);
        }
        // Sixty are the last hour's, and what the champion did before the challenger began does not count.
        let [champion, challenger] = meters.lately_at([&arm("1", 3), &two], 50, 0, 60 * 119);
        assert_eq!((champion.counts.requests, challenger.counts.requests), (0, 61));
        let [_, challenger] = meters.lately_at([&arm("1", 3), &two], 50, 60 * 100, 60 * 119);
        assert_eq!(challenger.counts.requests, 20);
    }

    #[test]
    fn times_are_compared_where_requests_are_few_and_where_one_arm_has_many() {
        let meters = Meters::default();
        let (one, two) = (arm("1", 7), arm("2", 7));
        for second in 0..6 * 3600 {
            if second % 10 == 0 {
                meters.saw_at(&one, good(0.01), second);
                meters.saw_at(&two, good(0.05), second);
            }
        }
        // Six a minute: ten minutes hold sixty, which say how many fail, and an hour too few for times.
        let [champion, challenger] = meters.lately_at([&one, &two], 50, 0, 6 * 3600);
        assert!((50..100).contains(&challenger.counts.requests), "{challenger:?}");
        assert_eq!((champion.p99_s, challenger.p99_s), (Some(0.01), Some(0.05)));

        // The champion's times are those of the last minute alone, so the challenger's are, too: what was slow before was for both.
        let (one, two) = (arm("1", 8), arm("2", 8));
        let busy = i64::try_from(MOST_TIMES).unwrap_or_default();
        for number in 0..2 * busy {
            let (minute, seconds) = (number / busy, if number < busy { 1.0 } else { 0.01 });
            meters.saw_at(&one, good(seconds), 60 * minute);
            if number % 8 == 0 {
                meters.saw_at(&two, good(seconds), 60 * minute);
            }
        }
        let [champion, challenger] = meters.lately_at([&one, &two], 50, 0, 60);
        assert_eq!((champion.p99_s, challenger.p99_s), (Some(0.01), Some(0.01)));
    }

    #[test]
    fn whoever_comes_back_begins_anew() {
        let meters = Meters::default();
        let (before, after) = (arm("2", 7), arm("2", 9));
        meters.saw(&before, Outcome::Failed);
        meters.waits(&before, true);
        assert_eq!((meters.of(&after).requests, meters.of(&after).waiting), (0, 1));
        meters.saw(&after, good(0.01));
        // One that was under way when it was withdrawn ends now.
        meters.saw(&before, Outcome::Failed);
        meters.waits(&before, false);
        let seen = meters.of(&after);
        assert_eq!((seen.requests, seen.errors, seen.waiting), (1, 0, 0));
        meters.retain(|_, _, version| version != "2");
        assert_eq!(meters.of(&after).requests, 0);
    }
}
