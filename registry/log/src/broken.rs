//! What is wrong with a chain.

use crate::{Head, LogError};

/// A chain that was checked from its first entry to its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Where it ends.
    pub head: Head,
    /// How many exported heads it goes through.
    pub anchors: usize,
    /// Bytes after the last whole entry: what a crash left of a write that nobody was told had succeeded. Always 0 in
    /// PostgreSQL.
    pub unfinished: u64,
}

/// The first thing that is wrong with a chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainBroken {
    /// The entry is not what was written.
    #[error("entry {seq} was changed: {cause} ({place})")]
    Changed {
        /// Its number by its position.
        seq: u64,
        /// In which way it is wrong.
        cause: String,
        /// File and byte, or table and row.
        place: String,
    },
    /// The entry is whole but does not continue the one before it.
    #[error(
        "entry {seq} does not continue entry {}: one of the two was replaced by an entry with a hash made anew ({place})",
        seq - 1
    )]
    Unlinked {
        /// The later of the two.
        seq: u64,
        /// File and byte, or table and row.
        place: String,
    },
    /// Entries are missing although later ones are there.
    #[error("entries {first} to {last} were removed ({place})")]
    Removed {
        /// The first that is missing.
        first: u64,
        /// The last that is missing.
        last: u64,
        /// File and byte, or table and row, of the first entry after the gap.
        place: String,
    },
    /// An entry stands where another belongs.
    #[error("entry {found} stands where entry {seq} belongs: entries were reordered or repeated ({place})")]
    Reordered {
        /// What belongs there.
        seq: u64,
        /// What stands there.
        found: u64,
        /// File and byte, or table and row.
        place: String,
    },
    /// The log ends before a head that it had.
    #[error("the log was truncated: it ends with entry {}, but had entry {anchor}", head.seq)]
    Truncated {
        /// Where it ends now.
        head: Head,
        /// The head that it had.
        anchor: Head,
    },
    /// The entry of an exported head is another one now; the chain was made anew from there or from before.
    #[error("the log was rewritten: entry {} has the hash {}, but was exported with {}", anchor.seq, found.hash, anchor.hash)]
    Rewritten {
        /// The head that it had.
        anchor: Head,
        /// What is there now.
        found: Head,
    },
    /// The log cannot be read, so nothing is said about it.
    #[error(transparent)]
    Unreadable(Box<LogError>),
}

impl From<LogError> for ChainBroken {
    fn from(cause: LogError) -> Self {
        match cause {
            LogError::Broken(broken) => *broken,
            other => Self::Unreadable(Box::new(other)),
        }
    }
}
