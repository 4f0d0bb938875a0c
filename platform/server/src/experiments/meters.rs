//! What each arm did on this server since it started.

use crate::input::{Answer, InputError};
use einthoven_classify::ClassifyError;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Times that the 99th percentile is taken of.
const MOST_TIMES: usize = 2048;

/// Counts by experiment and version.
#[derive(Default)]
pub(crate) struct Meters(Mutex<BTreeMap<(String, String), Meter>>);

#[derive(Default)]
struct Meter {
    seen: Seen,
    /// Seconds in the engine, the newest last.
    times_s: VecDeque<f64>,
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
    /// The 99th percentile of the time in the engine.
    pub(crate) p99_s: Option<f64>,
    /// Left out because too much waited; of a shadow only.
    pub(crate) dropped: u64,
    /// That wait now; of a shadow only.
    pub(crate) waiting: u64,
}

/// How a request ended that was the version's to answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Outcome {
    Answered { empty: bool, seconds: f64 },
    Failed,
    Late,
}

impl Outcome {
    /// What a version made of a request; none where the request itself was at fault.
    pub(crate) fn of(answer: &Result<Answer, InputError>, seconds: f64) -> Option<Self> {
        match answer {
            Ok(answer) => Some(Self::Answered {
                empty: is_empty(answer),
                seconds,
            }),
            Err(InputError::Classify(ClassifyError::Late)) => Some(Self::Late),
            Err(InputError::Classify(ClassifyError::Busy { .. } | ClassifyError::Engine(_))) => Some(Self::Failed),
            Err(_) => None,
        }
    }
}

fn is_empty(answer: &Answer) -> bool {
    match answer {
        Answer::Beats { document, .. } => {
            !document.beats.is_empty() && document.beats.iter().all(|beat| beat.class.is_none())
        }
        Answer::Rows(document) => {
            let finite = |row: &einthoven_classify::RowOut| row.probabilities.values().all(|value| value.is_finite());
            !document.rows.is_empty() && !document.rows.iter().any(finite)
        }
    }
}

impl Meters {
    /// Counts how a request ended.
    pub(crate) fn saw(&self, experiment: &str, version: &str, outcome: Outcome) {
        self.change(experiment, version, |meter| {
            meter.seen.requests += 1;
            match outcome {
                Outcome::Failed => meter.seen.errors += 1,
                Outcome::Late => meter.seen.timeouts += 1,
                Outcome::Answered { empty, seconds } => {
                    meter.seen.empty += u64::from(empty);
                    meter.times_s.push_back(seconds);
                    if meter.times_s.len() > MOST_TIMES {
                        meter.times_s.pop_front();
                    }
                }
            }
        });
    }

    /// A shadow was left out.
    pub(crate) fn dropped(&self, experiment: &str, version: &str) {
        self.change(experiment, version, |meter| meter.seen.dropped += 1);
    }

    /// One more waits, or one fewer.
    pub(crate) fn waits(&self, experiment: &str, version: &str, more: bool) {
        self.change(experiment, version, |meter| {
            let waiting = meter.seen.waiting;
            meter.seen.waiting = if more { waiting + 1 } else { waiting.saturating_sub(1) };
        });
    }

    /// What an arm did so far.
    pub(crate) fn of(&self, experiment: &str, version: &str) -> Seen {
        let meters = self.lock();
        let Some(meter) = meters.get(&(experiment.to_owned(), version.to_owned())) else {
            return Seen::default();
        };
        let mut times: Vec<f64> = meter.times_s.iter().copied().collect();
        times.sort_by(f64::total_cmp);
        let at = (times.len() * 99).div_ceil(100).saturating_sub(1);
        Seen {
            p99_s: times.get(at).copied(),
            ..meter.seen.clone()
        }
    }

    /// Shadows that were left out, of all experiments.
    pub(crate) fn dropped_in_all(&self) -> u64 {
        self.lock().values().map(|meter| meter.seen.dropped).sum()
    }

    fn change(&self, experiment: &str, version: &str, change: impl FnOnce(&mut Meter)) {
        let key = (experiment.to_owned(), version.to_owned());
        change(self.lock().entry(key).or_default());
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, String), Meter>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arm_is_counted_by_itself() {
        let meters = Meters::default();
        for number in 1..=200 {
            let seconds = f64::from(number);
            meters.saw(
                "rr",
                "2",
                Outcome::Answered {
                    empty: number == 1,
                    seconds,
                },
            );
        }
        meters.saw("rr", "2", Outcome::Failed);
        meters.saw("rr", "3", Outcome::Late);
        meters.dropped("rr", "3");
        meters.waits("rr", "3", true);
        let two = meters.of("rr", "2");
        assert_eq!((two.requests, two.errors, two.timeouts, two.empty), (201, 1, 0, 1));
        assert_eq!(two.p99_s, Some(198.0));
        let three = meters.of("rr", "3");
        assert_eq!(
            (three.timeouts, three.dropped, three.waiting, three.p99_s),
            (1, 1, 1, None)
        );
        assert_eq!(meters.dropped_in_all(), 1);
        assert_eq!(meters.of("other", "2").requests, 0);
    }
}
