//! What can go wrong.

use std::path::{Path, PathBuf};
use uuid::Uuid;

/// Why the journal refused.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// The file system failed.
    #[error("cannot {action} {path}: {cause}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// Another process writes it.
    #[error("the journal in {folder} is in use by another process; stop it, or name another folder")]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// So much waits for the disk that no more is taken.
    #[error("{waiting_bytes} bytes wait for the disk, more are not taken; try again")]
    Full {
        /// Bytes that wait.
        waiting_bytes: usize,
    },
    /// It was closed.
    #[error("the journal is closed")]
    Closed,
    /// The entry is not one.
    #[error("the entry cannot be recorded: {what}")]
    Entry {
        /// What is wrong.
        what: String,
    },
    /// Not a cursor that a page gave.
    #[error("`{given}` is not a cursor that a page of this journal gave; leave it out to begin with the newest")]
    Cursor {
        /// What was given.
        given: String,
    },
    /// Bytes on disk are not what was written.
    #[error("{path} is damaged at byte {offset}: {what}; the entry there is lost unless a backup has it")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        offset: u64,
        /// How.
        what: String,
    },
    /// There is no such prediction.
    #[error("no prediction {id} is in the journal: it was not recorded, or is no longer kept")]
    NoSuchPrediction {
        /// Its id.
        id: Uuid,
    },
    /// The label names a beat that the prediction does not have, or already has.
    #[error("at {at}: {what}")]
    NoSuchBeat {
        /// The sample or row.
        at: u64,
        /// What to do.
        what: &'static str,
    },
    /// The same key came with another content.
    #[error("the key `{key}` of reader `{reader}` was used at {at} for another label; a new label needs a new key")]
    KeyReused {
        /// The reader.
        reader: String,
        /// The key.
        key: String,
        /// The sample or row.
        at: u64,
    },
    /// The labels cannot be taken.
    #[error("{what}")]
    Labels {
        /// What is wrong and what to do.
        what: String,
    },
    /// The file with the master key is not usable.
    #[error("the master key in {path}: {what}")]
    MasterKey {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        what: String,
    },
    /// The recording was never kept, or it was erased.
    #[error("the recording {digest} is not kept: it never was, or it was erased")]
    NotKept {
        /// Its digest.
        digest: String,
    },
    /// A kept recording or its key was changed.
    #[error("{path} is not what was written: {what}")]
    Tampered {
        /// The file.
        path: PathBuf,
        /// How that is known.
        what: &'static str,
    },
    /// An export cannot be written.
    #[error("the export: {what}")]
    Export {
        /// Why, and what to do.
        what: String,
    },
}

impl JournalError {
    /// For `map_err`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::Io {
            action,
            path,
            cause: cause.to_string(),
        }
    }
}
