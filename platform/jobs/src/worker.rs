//! Doing one job: what the work gets, and what it says meanwhile.

use crate::events::Log;
use crate::table::Table;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
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
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "JobProgress")]
pub struct Stage {
    /// What is being done.
    pub stage: &'static str,
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

    fn goes_on(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

/// Takes what a running job says of itself, and tells it whether to go on.
#[derive(Debug, Clone)]
pub struct Progress(Arc<Told>);

#[derive(Debug)]
struct Told {
    table: Table,
    id: String,
    runs: u32,
    log: Arc<Log>,
    control: Arc<Control>,
    percent: Mutex<u8>,
}

impl Progress {
    pub(crate) fn new(table: Table, id: String, runs: u32, log: Arc<Log>, control: Arc<Control>) -> Self {
        Self(Arc::new(Told {
            table,
            id,
            runs,
            log,
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
            self.0.log.progress(reached, &stage, self.0.runs);
            self.0.table.progress(&self.0.id, stage);
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
