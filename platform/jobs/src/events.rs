//! What happens to a job, to be followed from any point.

use crate::record::{Info, State};
use crate::worker::Stage;
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

/// A state that was entered.
pub(crate) fn state(info: &Info) -> Event {
    let base = u64::from(info.attempts) * RUN;
    let id = match info.state {
        State::Queued if info.attempts == 0 => 1,
        State::Queued => base + AGAIN,
        State::Running => base,
        State::Done | State::Failed | State::Cancelled => base + END,
    };
    let mut data = json!({"state": info.state});
    if let Some(problem) = &info.problem {
        data["problem"] = problem.clone();
    }
    Event {
        id,
        kind: "state",
        data,
    }
}

/// Whole per cents that were reached.
pub(crate) fn progress(percent: u8, stage: &Stage, runs: u32) -> Event {
    let mut data = json!({"state": State::Running, "percent": percent});
    data["progress"] = serde_json::to_value(stage).unwrap_or_default();
    Event {
        id: u64::from(runs) * RUN + 1 + u64::from(percent.min(100)),
        kind: "progress",
        data,
    }
}

/// Whether nothing follows the event of that number, unless the job is begun again.
pub(crate) fn is_last(id: u64) -> bool {
    id % RUN == END
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
    pub(crate) fn state(&self, info: &Info) {
        if info.state == State::Running {
            // What an earlier run had done is no news any more.
            self.events.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        self.push(state(info));
    }

    pub(crate) fn push(&self, event: Event) {
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
pub struct Events(pub(crate) Source);

/// Where its events come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// This process's memory.
    Memory(Followed),
    /// A database.
    Database(crate::shared::Followed),
}

impl Events {
    /// Whether the last event of all was seen already.
    pub async fn is_over(&self) -> bool {
        match &self.0 {
            Source::Memory(followed) => followed.is_over(),
            Source::Database(followed) => followed.is_over().await,
        }
    }

    /// The next event after what was seen, when it happens; none after the end of the job, or when the process is being stopped.
    pub async fn next(&mut self) -> Option<Event> {
        match &mut self.0 {
            Source::Memory(followed) => followed.next().await,
            Source::Database(followed) => followed.next().await,
        }
    }
}

/// A follower of a job in memory.
#[derive(Debug)]
pub(crate) struct Followed {
    log: Arc<Log>,
    seen: Option<u64>,
    last: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
    ended: bool,
}

impl Followed {
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

    fn is_over(&self) -> bool {
        self.seen.is_some_and(is_last) && self.log.after(self.seen).is_none()
    }

    async fn next(&mut self) -> Option<Event> {
        while !self.ended {
            self.last.mark_unchanged();
            if let Some(event) = self.log.after(self.seen) {
                self.seen = Some(event.id);
                self.ended = is_last(event.id);
                return Some(event);
            }
            if self.seen.is_some_and(is_last) {
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
