//! Doing one job: what the work gets, and what it says meanwhile.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Does jobs. It runs on a thread of its own, where it may block.
pub trait Work: Send + Sync + 'static {
    /// The result's bytes.
    ///
    /// # Errors
    /// [`Failed`]: a problem of the job's own, or that it was told to stop.
    fn run(&self, task: Task) -> Result<Vec<u8>, Failed>;
}

/// A job as its work gets it.
#[derive(Debug)]
pub struct Task {
    /// Its name.
    pub id: String,
    /// Who made it.
    pub owner: String,
    /// What is to be done.
    pub wish: Value,
    /// The input.
    pub files: Vec<(String, Vec<u8>)>,
    /// To be told how far it is.
    pub progress: Progress,
}

/// Why a job has no result.
#[derive(Debug)]
pub enum Failed {
    /// A problem document.
    Problem(Value),
    /// It was told to stop.
    Stopped,
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "JobProgress")]
pub struct Stage {
    /// What is being done.
    pub stage: Cow<'static, str>,
    /// Parts of it that are done.
    pub done: u64,
    /// Parts that there are.
    pub total: u64,
}

/// Whether a job is to go on.
#[derive(Debug, Default)]
pub(crate) struct Control(AtomicU8);

const CANCELLED: u8 = 1;
const STOPPING: u8 = 2;

impl Control {
    pub(crate) fn cancel(&self) {
        self.0.store(CANCELLED, Ordering::Relaxed);
    }

    /// The process ends: the job is to be done again later.
    pub(crate) fn stop(&self) {
        let _ = self
            .0
            .compare_exchange(0, STOPPING, Ordering::Relaxed, Ordering::Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.0.load(Ordering::Relaxed) == STOPPING
    }

    pub(crate) fn goes_on(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

/// Where it is said how far a job is.
pub(crate) trait Tell: std::fmt::Debug + Send + Sync {
    /// Whole per cents, each said once and rising.
    fn reached(&self, percent: u8, stage: Stage);
}

/// Takes what a running job says of itself, and tells it whether to go on.
#[derive(Debug, Clone)]
pub struct Progress(Arc<Told>);

#[derive(Debug)]
struct Told {
    to: Box<dyn Tell>,
    control: Arc<Control>,
    percent: Mutex<u8>,
}

impl Progress {
    pub(crate) fn new(to: Box<dyn Tell>, control: Arc<Control>) -> Self {
        Self(Arc::new(Told {
            to,
            control,
            percent: Mutex::new(0),
        }))
    }

    /// Says how far the whole is, 0 to 1; what is behind what was said before is not told.
    ///
    /// # Errors
    /// [`Failed::Stopped`] when the job is not to go on.
    pub fn report(&self, share: f64, stage: Stage) -> Result<(), Failed> {
        self.goes_on()?;
        let reached = (share.clamp(0.0, 1.0) * 100.0) as u8;
        let mut percent = self.0.percent.lock().unwrap_or_else(PoisonError::into_inner);
        if reached > *percent {
            *percent = reached;
            self.0.to.reached(reached, stage);
        }
        Ok(())
    }

    /// Whether to go on.
    ///
    /// # Errors
    /// [`Failed::Stopped`] when not.
    pub fn goes_on(&self) -> Result<(), Failed> {
        if self.0.control.goes_on() {
            Ok(())
        } else {
            Err(Failed::Stopped)
        }
    }
}

/// Does a job; a panic of it is its failure.
pub(crate) fn run(work: &dyn Work, task: Task) -> Result<Vec<u8>, Failed> {
    catch_unwind(AssertUnwindSafe(|| work.run(task))).unwrap_or_else(|_| Err(internal(&"it panicked")))
}

/// A failure of the server's own, whose cause is for its log alone.
pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Failed {
    tracing::error!("a job failed: {cause}");
    Failed::Problem(json!({
        "type": "/problems/internal",
        "title": "internal",
        "status": 500,
        "detail": "the server could not do it; its log says why",
    }))
}

/// The bucket neither gave the input nor took the result for as long as it was waited for.
pub(crate) fn bucket_away(cause: &dyn std::fmt::Display) -> Failed {
    tracing::error!("a job failed, since its bucket refuses: {cause}");
    Failed::Problem(json!({
        "type": "/problems/busy",
        "title": "busy",
        "status": 503,
        "detail": "the bucket did not give the recording or take the result, however often it was asked; send it again when it does",
    }))
}

/// A job that said that it was stopped, and nobody had told it to.
pub(crate) fn stopped() -> Value {
    json!({"type": "/problems/internal", "title": "internal", "status": 500, "detail": "the job ended itself"})
}
