//! Bounds, and what a job is made of.

use crate::error::JobsError;
use einthoven_registry_files::Objects;
use secrecy::SecretString;
use std::path::PathBuf;
use std::time::Duration;

/// What a client is told to wait where there is no room: jobs are long.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// Where jobs lie, and how many there may be.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder of all jobs; made where it is not there. Nothing else may lie in it.
    pub folder: PathBuf,
    /// Jobs that run at once, at least one.
    pub at_once: usize,
    /// Jobs that may wait; half of them by one owner.
    pub waiting: usize,
    /// Bytes that the inputs of all jobs together may take.
    pub input_bytes: u64,
    /// Ended jobs that are kept with their results.
    pub kept: usize,
    /// How long they are kept at most.
    pub kept_for: Duration,
}

impl Settings {
    /// One at once, 64 waiting, 4 GiB of inputs, 100 results for a day.
    #[must_use]
    pub fn in_folder(folder: PathBuf) -> Self {
        Self {
            folder,
            at_once: 1,
            waiting: 64,
            input_bytes: 4 << 30,
            kept: 100,
            kept_for: Duration::from_secs(24 * 3600),
        }
    }
}

/// What is there already, and what is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// Jobs that wait.
    pub(crate) all: usize,
    /// Those of who asks.
    pub(crate) own: usize,
    /// Bytes of all inputs, with the new one.
    pub(crate) bytes: u64,
}

impl Settings {
    /// Whether there is room for one more.
    pub(crate) fn room_for(&self, asked: Asked) -> Result<(), JobsError> {
        let full = |why| JobsError::Full {
            why,
            retry_after: RETRY_AFTER,
        };
        if asked.all >= self.waiting {
            return Err(full("too many jobs are waiting"));
        }
        if asked.own >= self.waiting.div_ceil(2) {
            return Err(JobsError::OwnersShare { waiting: asked.own });
        }
        if asked.bytes > self.input_bytes {
            return Err(full("the jobs that wait take all the room that they may"));
        }
        Ok(())
    }
}

/// What servers have in common that share their jobs.
#[derive(Debug, Clone)]
pub struct Sharing {
    /// `postgres://user:password@host/database`.
    pub database_url: SecretString,
    /// Inputs and results.
    pub objects: Objects,
    /// How long a server that runs a job may be silent before another takes the job over.
    pub lease: Duration,
    /// How long a job waits for a bucket that gives or takes nothing, before it fails.
    pub bucket_patience: Duration,
}

impl Sharing {
    /// With a lease of ten seconds, renewed four times as often, and ten minutes of waiting for the bucket.
    #[must_use]
    pub fn of(database_url: SecretString, objects: Objects) -> Self {
        Self {
            database_url,
            objects,
            lease: Duration::from_secs(10),
            bucket_patience: Duration::from_secs(600),
        }
    }
}

/// A job to be made.
#[derive(Debug, Clone)]
pub struct New {
    /// Who may see it.
    pub owner: String,
    /// What is to be done, in the words of who does it.
    pub wish: serde_json::Value,
    /// Named files.
    pub files: Vec<(String, Vec<u8>)>,
}
