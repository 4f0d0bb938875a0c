//! Bounds, and what a job is made of.

use std::path::PathBuf;
use std::time::Duration;

/// Where jobs lie, and how many there may be.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder of all jobs; made where it is not there. Nothing else may lie in it.
    pub folder: PathBuf,
    /// Jobs that run at once, at least one.
    pub at_once: usize,
    /// Jobs that may wait; half of them by one owner.
    pub waiting: usize,
    /// Bytes that the inputs of all jobs together may take on disk.
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
