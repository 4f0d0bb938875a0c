//! What queues of loaded models counted.

use crate::bounded::OTHER;
use crate::exposition::Family;
use prometheus::proto::MetricFamily;
use std::collections::BTreeMap;

/// Versions that have series of their own. More can be loaded; they are counted together, under `other`.
const MOST: usize = 64;

/// Upper bounds of batches, in rows.
const ROWS: [f64; 11] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];

/// How calls ended.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outcomes {
    /// With outputs.
    pub succeeded: u64,
    /// The engine failed.
    pub failed: u64,
    /// The inputs were not what the model takes.
    pub invalid: u64,
    /// The caller went away.
    pub cancelled: u64,
    /// The deadline passed.
    pub expired: u64,
    /// The queue was full.
    pub refused: u64,
}

/// Runs of the engine over that many rows.
#[derive(Debug, Clone, Copy)]
pub struct BatchRows {
    /// Rows of one run.
    pub rows: usize,
    /// How many such runs.
    pub runs: u64,
}

/// Times of calls, by upper bound.
#[derive(Debug, Clone, Default)]
pub struct Waits {
    /// Upper bounds in seconds, ascending.
    pub bounds_s: Vec<f64>,
    /// Calls between one bound and the next; one more at the end for what is above all. Not cumulative.
    pub counts: Vec<u64>,
}

/// One loaded version. All times are sums in seconds since it was loaded.
#[derive(Debug, Clone, Default)]
pub struct ModelReading {
    /// Its model's name.
    pub model: String,
    /// Its own name.
    pub version: String,
    /// Calls by how they ended.
    pub outcomes: Outcomes,
    /// Rows of the calls that got outputs.
    pub rows: u64,
    /// Waiting, over the calls that got outputs.
    pub queued_s: f64,
    /// The same by how long each waited; empty where that was not counted.
    pub queued: Waits,
    /// Running, over the calls that got outputs.
    pub computed_s: f64,
    /// The same by how long each ran; empty where that was not counted.
    pub computed: Waits,
    /// Copying inputs together, over the runs.
    pub assembling_s: f64,
    /// The same by how long each run waited for it; empty where that was not counted.
    pub assembled: Waits,
    /// Inside the engine, over the runs.
    pub running_s: f64,
    /// Cutting outputs apart, over the runs.
    pub answering_s: f64,
    /// Runs by their rows.
    pub batches: Vec<BatchRows>,
    /// Calls that wait or run now.
    pub pending_calls: u64,
    /// Bytes of their inputs.
    pub pending_bytes: u64,
    /// Instances there are now.
    pub instances: u64,
}

impl ModelReading {
    /// Takes another in: what is counted together.
    fn join(&mut self, other: Self) {
        let (ours, theirs) = (&mut self.outcomes, other.outcomes);
        ours.succeeded += theirs.succeeded;
        ours.failed += theirs.failed;
        ours.invalid += theirs.invalid;
        ours.cancelled += theirs.cancelled;
        ours.expired += theirs.expired;
        ours.refused += theirs.refused;
        self.rows += other.rows;
        self.queued_s += other.queued_s;
        self.computed_s += other.computed_s;
        self.queued.join(other.queued);
        self.computed.join(other.computed);
        self.assembled.join(other.assembled);
        self.assembling_s += other.assembling_s;
        self.running_s += other.running_s;
        self.answering_s += other.answering_s;
        self.batches.extend(other.batches);
        self.pending_calls += other.pending_calls;
        self.pending_bytes += other.pending_bytes;
        self.instances += other.instances;
    }
}

impl Waits {
    /// All queues count by the same bounds.
    fn join(&mut self, other: Self) {
        if self.counts.is_empty() {
            *self = other;
            return;
        }
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
    }
}

/// At most [`MOST`] series of versions; those above are one, named `other`. Which these are goes by name, so that it stays the same
/// from one reading to the next.
fn bounded(models: Vec<ModelReading>) -> Vec<ModelReading> {
    let mut kept: BTreeMap<(String, String), ModelReading> = BTreeMap::new();
    for reading in models {
        let key = (reading.model.clone(), reading.version.clone());
        match kept.get_mut(&key) {
            Some(same) => same.join(reading),
            None => drop(kept.insert(key, reading)),
        }
    }
    let mut readings: Vec<_> = kept.into_values().collect();
    if readings.len() > MOST {
        let mut rest = ModelReading {
            model: OTHER.to_owned(),
            version: OTHER.to_owned(),
            ..ModelReading::default()
        };
        readings.drain(MOST - 1..).for_each(|reading| rest.join(reading));
        readings.push(rest);
    }
    readings
}

/// Every family about loaded versions.
pub(crate) fn families(models: Vec<ModelReading>) -> Vec<MetricFamily> {
    let mut calls = Family::counter(
        "einthoven_model_calls_total",
        "Calls to a loaded version, by how they ended.",
    );
    let mut rows = Family::counter("einthoven_model_rows_total", "Rows of calls that got outputs.");
    let mut batches = Family::histogram("einthoven_model_batch_rows", "Rows of each run of the engine.");
    let mut queued = Family::histogram(
        "einthoven_model_queue_duration_seconds",
        "From a call to its first run.",
    );
    let mut computed = Family::histogram(
        "einthoven_model_compute_duration_seconds",
        "From the start of a call's first run to the end of its last.",
    );
    let mut assembled = Family::histogram(
        "einthoven_model_batch_duration_seconds",
        "Putting each run's inputs together before the engine takes them.",
    );
    let mut stages = Family::counter(
        "einthoven_model_run_seconds_total",
        "Time of runs: inputs copied together, inside the engine, outputs cut apart.",
    );
    let mut pending = Family::gauge("einthoven_model_pending_calls", "Calls that wait or run.");
    let mut bytes = Family::gauge(
        "einthoven_model_pending_bytes",
        "Bytes of inputs of calls that wait or run.",
    );
    let mut instances = Family::gauge("einthoven_model_instances", "Loaded copies of a version.");
    for reading in bounded(models) {
        let labels = [("model", reading.model.as_str()), ("version", reading.version.as_str())];
        let with = |name, value| [labels[0], labels[1], (name, value)];
        let ended = &reading.outcomes;
        for (outcome, count) in [
            ("succeeded", ended.succeeded),
            ("failed", ended.failed),
            ("invalid", ended.invalid),
            ("cancelled", ended.cancelled),
            ("expired", ended.expired),
            ("refused", ended.refused),
        ] {
            calls.add(&with("outcome", outcome), count as f64);
        }
        rows.add(&labels, reading.rows as f64);
        let (counts, sum) = by_rows(&reading.batches);
        batches.add_counts(&labels, &ROWS, &counts, sum);
        let runs: u64 = reading.batches.iter().map(|batch| batch.runs).sum();
        for (family, waits, sum, count) in [
            (&mut queued, &reading.queued, reading.queued_s, ended.succeeded),
            (&mut computed, &reading.computed, reading.computed_s, ended.succeeded),
            (&mut assembled, &reading.assembled, reading.assembling_s, runs),
        ] {
            match waits.counts.is_empty() {
                // Sums alone still give the mean.
                true => family.add_counts(&labels, &[], &[count], sum),
                false => family.add_counts(&labels, &waits.bounds_s, &waits.counts, sum),
            }
        }
        for (part, seconds) in [
            ("assemble", reading.assembling_s),
            ("engine", reading.running_s),
            ("answer", reading.answering_s),
        ] {
            stages.add(&with("part", part), seconds);
        }
        pending.add(&labels, reading.pending_calls as f64);
        bytes.add(&labels, reading.pending_bytes as f64);
        instances.add(&labels, reading.instances as f64);
    }
    [
        calls, rows, batches, queued, computed, assembled, stages, pending, bytes, instances,
    ]
    .into_iter()
    .filter_map(Family::done)
    .collect()
}

/// Runs by upper bound of their rows, and the rows of all.
fn by_rows(batches: &[BatchRows]) -> (Vec<u64>, f64) {
    let mut counts = vec![0; ROWS.len() + 1];
    let mut sum = 0.0;
    for batch in batches {
        let index = ROWS.iter().position(|bound| batch.rows as f64 <= *bound);
        counts[index.unwrap_or(ROWS.len())] += batch.runs;
        sum += batch.rows as f64 * batch.runs as f64;
    }
    (counts, sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(model: usize) -> ModelReading {
        ModelReading {
            model: format!("m{model:05}"),
            version: "1".to_owned(),
            rows: 1,
            ..ModelReading::default()
        }
    }

    #[test]
    fn the_number_of_series_ends_and_nothing_is_lost() {
        let few = bounded((0..MOST).map(reading).collect());
        assert_eq!(few.len(), MOST);
        assert!(few.iter().all(|reading| reading.model != OTHER));
        let many = bounded((0..100_000).map(reading).collect());
        assert_eq!(many.len(), MOST);
        assert_eq!(many.iter().map(|reading| reading.rows).sum::<u64>(), 100_000);
        assert_eq!(many.last().map(|last| last.model.as_str()), Some(OTHER));
    }

    #[test]
    fn runs_are_counted_by_their_rows() {
        let runs = [(1, 5), (2, 1), (3, 2), (1024, 1), (5000, 1)].map(|(rows, runs)| BatchRows { rows, runs });
        let (counts, sum) = by_rows(&runs);
        assert_eq!(counts, [5, 1, 2, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert!((sum - (5 + 2 + 6 + 1024 + 5000) as f64).abs() < 1e-9);
    }
}
