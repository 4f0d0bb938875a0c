//! What a queue counts and measures.

use serde::Serialize;
use std::time::Duration;

/// Upper bounds in seconds of what is counted by how long it took.
pub const WITHIN_S: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0,
];

/// Counts and times of one version since it was loaded. A call is counted when it is answered.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Statistics {
    /// Calls that got their outputs.
    pub succeeded: u64,
    /// Calls the engine failed on.
    pub failed: u64,
    /// Calls whose inputs were not what the model takes.
    pub invalid: u64,
    /// Calls whose caller went away.
    pub cancelled: u64,
    /// Calls whose deadline passed.
    pub expired: u64,
    /// Calls refused because the queue was full.
    pub refused: u64,
    /// Rows of the calls that got their outputs.
    pub rows: u64,
    /// Runs of the engine.
    pub executions: u64,
    /// Rows that the engine ran, those of failed and forgotten calls included.
    pub executed_rows: u64,
    /// Sum over the calls that got their outputs, from the call to its first batch.
    pub queued: Duration,
    /// Sum over the calls that got their outputs, from the start of the first batch to the end of the last.
    pub computed: Duration,
    /// Sum over the calls that failed or expired, from the call to the answer.
    pub failing: Duration,
    /// Sum over the runs: copying inputs together.
    pub assembling: Duration,
    /// Sum over the runs: inside the engine.
    pub running: Duration,
    /// Sum over the runs: cutting outputs apart.
    pub answering: Duration,
    /// Calls that got their outputs, by how long each was queued: as many as there are [`WITHIN_S`], and one for all above. Not
    /// cumulative.
    pub queued_within: Vec<u64>,
    /// The same by how long each was computed.
    pub computed_within: Vec<u64>,
    /// Runs, by how long their inputs were copied together.
    pub assembled_within: Vec<u64>,
    /// Milliseconds since 1970 of the last call that got its outputs; zero where there was none.
    pub last_ms: u64,
    /// Runs by their rows, ascending; sizes that did not occur are left out.
    pub batches: Vec<BatchCount>,
    /// Calls that wait or run now.
    pub pending_calls: u64,
    /// Bytes of their inputs.
    pub pending_bytes: u64,
    /// Instances there are now.
    pub instances: u64,
}

/// Runs of one size.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BatchCount {
    /// Rows; the largest size that is counted stands for everything above.
    pub rows: usize,
    /// How many runs.
    pub executions: u64,
    /// Sum: copying inputs together.
    pub assembling: Duration,
    /// Sum: inside the engine.
    pub running: Duration,
    /// Sum: cutting outputs apart.
    pub answering: Duration,
}
