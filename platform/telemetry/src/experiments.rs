//! What versions that are compared did, and whether their recordings drift.

use crate::exposition::Family;
use prometheus::proto::MetricFamily;
use std::collections::BTreeMap;

/// Versions that have series of their own: eight challengers and a champion of each model that runs an experiment; of more those whose
/// names come first.
const MOST: usize = 64;

/// A version in an experiment, since it takes part as it does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArmReading {
    /// Its model's name.
    pub model: String,
    /// Its own name.
    pub version: String,
    /// Requests that it answered.
    pub answered: u64,
    /// Those of them in which it said nothing.
    pub empty: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Requests that took too long.
    pub late: u64,
    /// Recordings that it was to compute beside others and did not, because too much waited.
    pub dropped: u64,
    /// Recordings that wait for it now.
    pub waiting: u64,
}

/// Windows of recordings that were compared with a version's reference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DriftReading {
    /// Its model's name.
    pub model: String,
    /// Its own name.
    pub version: String,
    /// The last window raised an alarm.
    pub alarm: bool,
    /// All windows.
    pub windows: u64,
    /// Those that raised an alarm.
    pub alarms: u64,
}

/// One for each version, the first [`MOST`].
fn bounded<T>(all: Vec<T>, name: impl Fn(&T) -> (String, String), join: impl Fn(&mut T, T)) -> Vec<T> {
    let mut kept: BTreeMap<(String, String), T> = BTreeMap::new();
    for one in all {
        match kept.get_mut(&name(&one)) {
            Some(same) => join(same, one),
            None => drop(kept.insert(name(&one), one)),
        }
    }
    kept.into_values().take(MOST).collect()
}

/// Every family about experiments.
pub(crate) fn families(arms: Vec<ArmReading>, drift: Vec<DriftReading>) -> Vec<MetricFamily> {
    let mut requests = Family::counter(
        "einthoven_experiment_requests_total",
        "Requests of versions that are compared, by how they ended, since each takes part as it does.",
    );
    let mut waiting = Family::gauge(
        "einthoven_experiment_waiting",
        "Recordings that wait for a version to compute beside others.",
    );
    let name = |arm: &ArmReading| (arm.model.clone(), arm.version.clone());
    let join = |sum: &mut ArmReading, more: ArmReading| {
        sum.answered += more.answered;
        sum.empty += more.empty;
        sum.failed += more.failed;
        sum.late += more.late;
        sum.dropped += more.dropped;
        sum.waiting += more.waiting;
    };
    for arm in bounded(arms, name, join) {
        let (model, version) = (("model", arm.model.as_str()), ("version", arm.version.as_str()));
        for (outcome, count) in [
            ("answered", arm.answered.saturating_sub(arm.empty)),
            ("empty", arm.empty),
            ("failed", arm.failed),
            ("late", arm.late),
            ("dropped", arm.dropped),
        ] {
            requests.add(&[model, version, ("outcome", outcome)], count as f64);
        }
        waiting.add(&[model, version], arm.waiting as f64);
    }
    let mut alarm = Family::gauge(
        "einthoven_drift_alarm",
        "1 where the last window of recordings is not like the reference, else 0.",
    );
    let mut windows = Family::counter(
        "einthoven_drift_windows_total",
        "Windows of recordings that were compared with the reference.",
    );
    let mut alarms = Family::counter("einthoven_drift_alarms_total", "Those of them that raised an alarm.");
    let name = |one: &DriftReading| (one.model.clone(), one.version.clone());
    let join = |sum: &mut DriftReading, more: DriftReading| {
        sum.alarm |= more.alarm;
        sum.windows += more.windows;
        sum.alarms += more.alarms;
    };
    for one in bounded(drift, name, join) {
        let labels = [("model", one.model.as_str()), ("version", one.version.as_str())];
        alarm.add(&labels, f64::from(u8::from(one.alarm)));
        windows.add(&labels, one.windows as f64);
        alarms.add(&labels, one.alarms as f64);
    }
    [requests, waiting, alarm, windows, alarms]
        .into_iter()
        .filter_map(Family::done)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_one_series_and_there_are_no_more_than_stated() {
        let arm = |number: usize| ArmReading {
            model: "heartbeat".to_owned(),
            version: number.to_string(),
            answered: 3,
            empty: 1,
            ..ArmReading::default()
        };
        // The same version in an experiment that has just ended and in one that runs.
        let arms = (0..200).chain(0..200).map(arm).collect();
        let drift = DriftReading {
            model: "heartbeat".to_owned(),
            version: "1".to_owned(),
            alarm: true,
            windows: 4,
            alarms: 2,
        };
        let families = families(arms, vec![drift]);
        let names: Vec<(&str, usize)> = families
            .iter()
            .map(|family| (family.name(), family.get_metric().len()))
            .collect();
        assert_eq!(
            names,
            [
                ("einthoven_experiment_requests_total", 5 * MOST),
                ("einthoven_experiment_waiting", MOST),
                ("einthoven_drift_alarm", 1),
                ("einthoven_drift_windows_total", 1),
                ("einthoven_drift_alarms_total", 1),
            ]
        );
        assert_eq!(families[0].get_metric()[0].get_counter().get_value(), 4.0);
        assert_eq!(families[2].get_metric()[0].get_gauge().get_value(), 1.0);
    }
}
