//! What is known of a job, as it lies on disk and as it is told.

use crate::error::JobsError;
use crate::settings::New;
use crate::worker::Stage;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Times a job may take the process down with it before it is given up.
pub(crate) const MOST_CRASHES: u32 = 3;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "JobState")]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for its turn.
    Queued,
    /// Is being done.
    Running,
    /// Has its result.
    Done,
    /// Has a problem instead.
    Failed,
    /// Was not wanted any more.
    Cancelled,
}

impl State {
    /// In the order that they come in.
    pub(crate) const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing follows.
    #[must_use]
    pub fn is_end(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// A job as it lies on disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) owner: String,
    pub(crate) wish: Value,
    /// Names of the input's files, in order.
    pub(crate) files: Vec<String>,
    pub(crate) input_bytes: u64,
    pub(crate) state: State,
    pub(crate) created: Timestamp,
    pub(crate) started: Option<Timestamp>,
    pub(crate) ended: Option<Timestamp>,
    /// Times it was begun.
    pub(crate) runs: u32,
    /// Times the process ended without a word while it ran.
    pub(crate) crashes: u32,
    pub(crate) problem: Option<Value>,
}

/// A job as it is told.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Job")]
pub struct Info {
    /// Its name.
    pub id: String,
    /// Who made it.
    pub owner: String,
    /// Where it stands.
    pub state: State,
    /// What is to be done.
    pub wish: Value,
    /// Names of its files.
    pub files: Vec<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// Times it was begun.
    pub attempts: u32,
    /// How far it is, while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Stage>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Value>,
}

impl Record {
    pub(crate) fn new(id: String, new: &New) -> Self {
        Self {
            id,
            owner: new.owner.clone(),
            wish: new.wish.clone(),
            files: new.files.iter().map(|(name, _)| name.clone()).collect(),
            input_bytes: new.files.iter().map(|(_, bytes)| bytes.len() as u64).sum(),
            state: State::Queued,
            created: Timestamp::now(),
            started: None,
            ended: None,
            runs: 0,
            crashes: 0,
            problem: None,
        }
    }

    /// After a start of the process: what was running waits again, unless it took the process down too often.
    pub(crate) fn after_restart(&mut self) {
        if self.state != State::Running {
            return;
        }
        self.crashes += 1;
        if self.crashes < MOST_CRASHES {
            self.state = State::Queued;
            return;
        }
        let times = self.crashes;
        self.end(State::Failed, Some(given_up(times)));
    }

    pub(crate) fn begin(&mut self) {
        self.state = State::Running;
        self.started = Some(Timestamp::now());
        self.runs += 1;
    }

    pub(crate) fn end(&mut self, state: State, problem: Option<Value>) {
        self.state = state;
        self.ended = Some(Timestamp::now());
        self.problem = problem;
    }

    /// Whether it has a result.
    pub(crate) fn has_result(&self) -> Result<(), JobsError> {
        match self.state {
            State::Done => Ok(()),
            State::Failed => Err(JobsError::Failed(self.problem.clone().unwrap_or_default())),
            State::Cancelled => Err(JobsError::Cancelled),
            state => Err(JobsError::NotEnded(state.as_str())),
        }
    }

    pub(crate) fn info(&self, progress: Option<Stage>) -> Info {
        Info {
            id: self.id.clone(),
            owner: self.owner.clone(),
            state: self.state,
            wish: self.wish.clone(),
            files: self.files.clone(),
            created: self.created,
            started: self.started,
            ended: self.ended,
            attempts: self.runs,
            progress: progress.filter(|_| self.state == State::Running),
            problem: self.problem.clone(),
        }
    }
}

/// Why a job is not tried again.
pub(crate) fn given_up(times: u32) -> Value {
    serde_json::json!({
        "type": "/problems/gave_up",
        "title": "gave up",
        "status": 500,
        "detail": format!("the server ended {times} times while it was at this job; it is not tried again"),
    })
}

#[cfg(test)]
mod tests {
    use super::{MOST_CRASHES, Record, State};
    use crate::settings::New;

    #[test]
    fn a_job_that_takes_the_process_down_is_given_up() {
        let new = New {
            owner: "key:a".to_owned(),
            wish: serde_json::Value::Null,
            files: Vec::new(),
        };
        let mut record = Record::new("1".to_owned(), &new);
        for _ in 1..MOST_CRASHES {
            record.begin();
            record.after_restart();
            assert_eq!(record.state, State::Queued);
        }
        record.begin();
        record.after_restart();
        assert_eq!(record.state, State::Failed);
        assert!(record.problem.is_some_and(|problem| problem["status"] == 500));
        // One that waited is not to blame.
        let mut waited = Record::new("2".to_owned(), &new);
        waited.after_restart();
        assert_eq!((waited.state, waited.crashes), (State::Queued, 0));
    }
}
