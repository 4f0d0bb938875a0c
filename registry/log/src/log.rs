//! One log, wherever it is kept.

use crate::{ChainBroken, Entry, FileLog, Head, LogError, PostgresLog, Verified};
use tokio::sync::watch;

/// A log; cheap to clone.
#[derive(Debug, Clone)]
pub enum Log {
    /// In a file, for one process.
    File(FileLog),
    /// In a table of PostgreSQL, for many.
    Postgres(PostgresLog),
}

impl Log {
    /// Where the log ends.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] and [`LogError::Refused`] from PostgreSQL; a file that is open for writing never fails.
    pub async fn head(&self) -> Result<Head, LogError> {
        match self {
            Self::File(log) => log.head().await,
            Self::Postgres(log) => log.head().await,
        }
    }

    /// Appends bodies in one step, all or none, if the log still ends with `after`; they are on disk when this returns.
    /// Each body is one JSON object on one line of at most [`crate::MAX_BODY`] bytes and is kept byte for byte.
    ///
    /// # Errors
    /// [`LogError::Moved`] when somebody else appended, [`LogError::Body`] when a body cannot be kept. With all others but
    /// [`LogError::Unknown`] nothing was appended either.
    pub async fn append(&self, after: Head, bodies: Vec<String>) -> Result<Vec<Entry>, LogError> {
        match self {
            Self::File(log) => log.append(after, bodies).await,
            Self::Postgres(log) => log.append(after, bodies).await,
        }
    }

    /// At most `limit` entries after the one with this number (0: from the first), in order.
    ///
    /// # Errors
    /// [`LogError::Broken`] when an entry is not what was written; from PostgreSQL as for [`Log::head`].
    pub async fn read(&self, after_seq: u64, limit: usize) -> Result<Vec<Entry>, LogError> {
        match self {
            Self::File(log) => log.read(after_seq, limit).await,
            Self::Postgres(log) => log.read(after_seq, limit).await,
        }
    }

    /// The newest number known here. It changes when anybody appends; with PostgreSQL other processes too, after a lost
    /// connection as soon as there is a new one.
    pub fn watch(&self) -> watch::Receiver<u64> {
        match self {
            Self::File(log) => log.watch(),
            Self::Postgres(log) => log.watch(),
        }
    }

    /// Checks the chain from its first entry to its last, and that it goes through all exported heads.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub async fn verify(&self, anchors: &[Head]) -> Result<Verified, ChainBroken> {
        match self {
            Self::File(log) => log.verify(anchors).await,
            Self::Postgres(log) => log.verify(anchors).await,
        }
    }
}
