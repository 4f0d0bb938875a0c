//! What is asked of a queue, and what comes back.

use crate::tensor::Tensor;
use einthoven_plugin_host::Failure;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Which calls come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Priority {
    /// Somebody waits for it.
    #[default]
    Interactive,
    /// Long work: it gets what interactive calls leave, and never less than one batch in eight.
    Batch,
}

/// One request for outputs.
#[derive(Debug, Clone)]
pub struct Call {
    /// Every input of the model, by name, in any order; all with the same rows.
    pub inputs: Vec<Tensor>,
    /// Which calls come first.
    pub priority: Priority,
    /// Whose it is: calls of different flows take turns by rows, those of one flow are served in order.
    pub flow: Arc<str>,
    /// When nobody waits any more.
    pub deadline: Option<Instant>,
    /// Whether its caller asks for nothing else until it has the answer, so that its own thread may run it.
    pub alone: bool,
}

/// The answer to a call.
#[derive(Debug, Clone)]
pub struct Done {
    /// Every output, in the engine's order, with as many rows as the inputs.
    pub outputs: Vec<Tensor>,
    /// From the call until the engine took its first batch.
    pub queued: Duration,
    /// The part of it in which its first batch was put together.
    pub assembling: Duration,
    /// From the start of its first batch to the end of its last.
    pub computed: Duration,
    /// When it was asked for.
    pub asked: Instant,
    /// When its answer was there.
    pub answered: Instant,
    /// Rows of the largest batch that it was part of.
    pub batch_rows: usize,
    /// What really computed, in the engine's words.
    pub provider: Arc<str>,
}

/// Why a call has no outputs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DispatchError {
    /// The queue is full.
    #[error("the queue of the model is full; try again in {:.1} s", retry_after.as_secs_f64())]
    Full {
        /// When there will likely be room.
        retry_after: Duration,
    },
    /// The deadline passed first.
    #[error("the deadline passed before the model answered")]
    Expired,
    /// Everybody who waited has gone.
    #[error("the call was cancelled")]
    Cancelled,
    /// The inputs are not what the model takes.
    #[error("{0}")]
    Invalid(Failure),
    /// The engine failed on it.
    #[error("{0}")]
    Failed(Failure),
    /// The version was unloaded first.
    #[error("the version was unloaded before it answered; the same call finds the one that answers now")]
    Closed,
}
