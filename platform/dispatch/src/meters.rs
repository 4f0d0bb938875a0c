//! Counters that cost a call a few atomic additions.

use crate::call::DispatchError;
use crate::statistics::{BatchCount, Statistics, WITHIN_S};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// The times of one run of an engine.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RunTimes {
    pub(crate) assembling: Duration,
    pub(crate) running: Duration,
    pub(crate) answering: Duration,
}

/// Counts by how long something took.
#[derive(Default)]
struct Within([AtomicU64; WITHIN_S.len() + 1]);

impl Within {
    fn add(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let place = WITHIN_S.iter().position(|bound| seconds <= *bound);
        if let Some(count) = self.0.get(place.unwrap_or(WITHIN_S.len())) {
            add(count, 1);
        }
    }

    fn read(&self) -> Vec<u64> {
        self.0.iter().map(|count| count.load(Ordering::Relaxed)).collect()
    }
}

#[derive(Default)]
struct Runs {
    executions: AtomicU64,
    assembling_ns: AtomicU64,
    running_ns: AtomicU64,
    answering_ns: AtomicU64,
}

#[derive(Default)]
pub(crate) struct Meters {
    succeeded: AtomicU64,
    failed: AtomicU64,
    invalid: AtomicU64,
    cancelled: AtomicU64,
    expired: AtomicU64,
    refused: AtomicU64,
    rows: AtomicU64,
    executed_rows: AtomicU64,
    queued_ns: AtomicU64,
    computed_ns: AtomicU64,
    failing_ns: AtomicU64,
    queued_within: Within,
    computed_within: Within,
    assembled_within: Within,
    last_ms: AtomicU64,
    /// By rows; the last one for all above.
    runs: Vec<Runs>,
}

fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

impl Meters {
    pub(crate) fn new(batch_rows: usize) -> Self {
        Self {
            runs: (0..=batch_rows.min(1024)).map(|_| Runs::default()).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn ran(&self, rows: usize, times: RunTimes) {
        add(&self.executed_rows, rows as u64);
        self.assembled_within.add(times.assembling);
        if let Some(runs) = self.runs.get(rows.min(self.runs.len().saturating_sub(1))) {
            add(&runs.executions, 1);
            add(&runs.assembling_ns, ns(times.assembling));
            add(&runs.running_ns, ns(times.running));
            add(&runs.answering_ns, ns(times.answering));
        }
    }

    pub(crate) fn succeeded(&self, rows: usize, queued: Duration, computed: Duration) {
        add(&self.succeeded, 1);
        add(&self.rows, rows as u64);
        add(&self.queued_ns, ns(queued));
        add(&self.computed_ns, ns(computed));
        self.queued_within.add(queued);
        self.computed_within.add(computed);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        self.last_ms.store(now, Ordering::Relaxed);
    }

    /// A call that got no outputs, `after` so long.
    pub(crate) fn lost(&self, why: &DispatchError, after: Duration) {
        let counter = match why {
            DispatchError::Full { .. } => return add(&self.refused, 1),
            DispatchError::Invalid(_) => return add(&self.invalid, 1),
            DispatchError::Cancelled | DispatchError::Closed => return add(&self.cancelled, 1),
            DispatchError::Expired => &self.expired,
            DispatchError::Failed(_) => &self.failed,
        };
        add(counter, 1);
        add(&self.failing_ns, ns(after));
    }

    /// A snapshot. Counters are read one after the other, so sums may be a call apart.
    pub(crate) fn read(&self) -> Statistics {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let time = |counter: &AtomicU64| Duration::from_nanos(count(counter));
        let batches: Vec<_> = self
            .runs
            .iter()
            .enumerate()
            .filter(|(_, runs)| count(&runs.executions) > 0)
            .map(|(rows, runs)| BatchCount {
                rows,
                executions: count(&runs.executions),
                assembling: time(&runs.assembling_ns),
                running: time(&runs.running_ns),
                answering: time(&runs.answering_ns),
            })
            .collect();
        Statistics {
            succeeded: count(&self.succeeded),
            failed: count(&self.failed),
            invalid: count(&self.invalid),
            cancelled: count(&self.cancelled),
            expired: count(&self.expired),
            refused: count(&self.refused),
            rows: count(&self.rows),
            executions: batches.iter().map(|batch| batch.executions).sum(),
            executed_rows: count(&self.executed_rows),
            queued: time(&self.queued_ns),
            computed: time(&self.computed_ns),
            failing: time(&self.failing_ns),
            assembling: batches.iter().map(|batch| batch.assembling).sum(),
            running: batches.iter().map(|batch| batch.running).sum(),
            answering: batches.iter().map(|batch| batch.answering).sum(),
            last_ms: count(&self.last_ms),
            queued_within: self.queued_within.read(),
            computed_within: self.computed_within.read(),
            assembled_within: self.assembled_within.read(),
            batches,
            ..Statistics::default()
        }
    }
}
