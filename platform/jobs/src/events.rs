//! What happens to a job, to be followed from any point.

use crate::record::{Info, State};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// Numbers of one run: run 2 has 2000 to 2999. A follower that comes back after a restart of the process so sees what is new.
const RUN: u64 = 1000;
/// Numbers of the states after the steps of a run.
const AGAIN: u64 = 998;
const END: u64 = 999;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Rising within a job.
    pub id: u64,
    /// `state` or `progress`.
    pub kind: &'static str,
    /// The state, and how far it is.
    pub data: Value,
}

/// All events of one job: at most one for each per cent of its last run, and one for each state.
#[derive(Debug)]
pub(crate) struct Log {
    events: Mutex<Vec<Event>>,
    last: watch::Sender<u64>,
}

impl Log {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            events: Mutex::default(),
            last: watch::Sender::new(0),
        })
    }

    /// A state that was entered.
    pub(crate) fn state(&self, info: &Info, runs: u32) {
        let base = u64::from(runs) * RUN;
        let id = match info.state {
            State::Queued if runs == 0 => 1,
            State::Queued => base + AGAIN,
            State::Running => base,
            State::Done | State::Failed | State::Cancelled => base + END,
        };
        if info.state == State::Running {
            // What an earlier run had done is no news any more.
            self.events.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        let mut data = json!({"state": info.state});
        if let Some(problem) = &info.problem {
            data["problem"] = problem.clone();
        }
        self.push(Event {
            id,
            kind: "state",
            data,
        });
    }

    /// Whole per cents that were reached.
    pub(crate) fn progress(&self, percent: u8, stage: &impl serde::Serialize, runs: u32) {
        let mut data = json!({"state": State::Running, "percent": percent});
        data["progress"] = serde_json::to_value(stage).unwrap_or_default();
        self.push(Event {
            id: u64::from(runs) * RUN + 1 + u64::from(percent.min(100)),
            kind: "progress",
            data,
        });
    }

    fn push(&self, event: Event) {
        let id = event.id;
        {
            let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
            if events.last().is_some_and(|last| last.id >= id) {
                return;
            }
            events.push(event);
        }
        self.last.send_replace(id);
    }

    fn after(&self, id: Option<u64>) -> Option<Event> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let next = events.partition_point(|event| id.is_some_and(|id| event.id <= id));
        events.get(next).cloned()
    }
}

/// A follower of one job.
#[derive(Debug)]
pub struct Events {
    log: Arc<Log>,
    seen: Option<u64>,
    last: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
    ended: bool,
}

impl Events {
    pub(crate) fn new(log: Arc<Log>, seen: Option<u64>, stopping: watch::Receiver<bool>) -> Self {
        let last = log.last.subscribe();
        Self {
            log,
            seen,
            last,
            stopping,
            ended: false,
        }
    }

    /// Whether the last event of all was seen already.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.seen.is_some_and(|seen| seen % RUN == END) && self.log.after(self.seen).is_none()
    }

    /// The next event after what was seen, when it happens; none after the end of the job, or when the process is being stopped.
    pub async fn next(&mut self) -> Option<Event> {
        while !self.ended {
            self.last.mark_unchanged();
            if let Some(event) = self.log.after(self.seen) {
                self.seen = Some(event.id);
                self.ended = event.id % RUN == END;
                return Some(event);
            }
            if self.seen.is_some_and(|seen| seen % RUN == END) {
                return None;
            }
            tokio::select! {
                changed = self.last.changed() => changed.ok()?,
                _ = self.stopping.wait_for(|stopping| *stopping) => return None,
            }
        }
        None
    }
}
