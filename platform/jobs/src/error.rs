//! Why there is no such job, or no job was made.

use einthoven_registry_files::FilesError;
use std::path::PathBuf;
use std::time::Duration;

/// Why there is no such job, or no job was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobsError {
    /// No room for another one.
    #[error("{why}; try again in {} s", retry_after.as_secs())]
    Full {
        /// Of what there is too much.
        why: &'static str,
        /// When there will likely be room.
        retry_after: Duration,
    },
    /// One owner has as many waiting as one owner may.
    #[error("{waiting} of your jobs wait already; wait until one ends, or cancel one")]
    OwnersShare {
        /// How many.
        waiting: usize,
    },
    /// The process is being stopped.
    #[error("the server is stopping; ask another, or again in a while")]
    Stopping,
    /// None of that name is there for who asks.
    #[error("there is no job of that id; ended ones are kept for a while only")]
    NoSuchJob,
    /// It has not ended.
    #[error("the job is still {0}; its result is there when it is done")]
    NotEnded(&'static str),
    /// It ended without one.
    #[error("the job was cancelled and has no result")]
    Cancelled,
    /// It ended in a failure, which is this.
    #[error("the job failed: {}", .0["detail"].as_str().unwrap_or("see its problem"))]
    Failed(serde_json::Value),
    /// What several servers share does not answer.
    #[error("{what} does not answer; try again in a moment ({cause})")]
    Unavailable {
        /// Which of it.
        what: &'static str,
        /// In its words, or the driver's.
        cause: String,
    },
    /// What several servers share does not take what it is asked.
    #[error("{cause}")]
    Refused {
        /// What and why.
        cause: String,
    },
    /// The disk.
    #[error("{path}: {cause}")]
    Disk {
        /// What was written or read.
        path: PathBuf,
        /// In the system's words.
        cause: std::io::Error,
    },
}

impl From<FilesError> for JobsError {
    fn from(cause: FilesError) -> Self {
        Self::Unavailable {
            what: "the bucket of jobs",
            cause: cause.to_string(),
        }
    }
}
