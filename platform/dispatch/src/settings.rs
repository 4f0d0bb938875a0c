//! How a queue is to work, and what makes the instances it feeds.

use crate::process::Allowance;
use einthoven_plugin_host::{Failure, Outputs, TensorView, Until};
use std::num::NonZeroUsize;
use std::sync::Arc;

/// One loaded copy of a model: runs one batch at a time.
pub trait Instance: Send {
    /// Runs one batch.
    ///
    /// # Errors
    /// The engine's own.
    fn run(&mut self, inputs: &[TensorView<'_>], until: &Until) -> Result<Outputs, Failure>;

    /// What really computes, in the engine's words.
    fn provider(&self) -> &str;

    /// False when another must be made in its place.
    fn usable(&self) -> bool;

    /// Whether it computes in this process, so that a run takes no longer than the model does: a child may have to be started, and
    /// what it is asked for is waited for.
    fn in_process(&self) -> bool {
        true
    }
}

/// What makes instances.
pub trait Source: Send + Sync {
    /// One more.
    ///
    /// # Errors
    /// When it cannot be had.
    fn instance(&self) -> Result<Box<dyn Instance>, Failure>;
}

/// How one queue works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Instances at most; each has a thread. Those beyond the first are made when there is work for them.
    pub instances: NonZeroUsize,
    /// Whether one more instance may be made for interactive calls while all others are busy: with batch work, or with the
    /// calls of a flow that has many times the rows of the caller's. It goes before them on the processor.
    pub express: bool,
    /// Rows of a batch at most.
    pub batch_rows: NonZeroUsize,
    /// Bytes of a batch's inputs at most; a row that is larger runs alone.
    pub batch_bytes: usize,
    /// Calls that wait or run at most. One flow alone gets about half.
    pub queue_calls: usize,
    /// Bytes of their inputs at most. One flow alone gets about half, or one call.
    pub queue_bytes: usize,
    /// What all queues of the process share.
    pub process: Arc<Allowance>,
}

impl Default for Settings {
    /// As many instances as the process has cores, 64 rows, 4,096 calls, 256 MiB.
    fn default() -> Self {
        Self {
            instances: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            express: true,
            batch_rows: NonZeroUsize::new(64).unwrap_or(NonZeroUsize::MIN),
            batch_bytes: 16 << 20,
            queue_calls: 4096,
            queue_bytes: 256 << 20,
            process: Allowance::of_the_process(),
        }
    }
}
