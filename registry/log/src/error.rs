//! What can go wrong with a log.

use crate::{ChainBroken, Head};
use std::path::PathBuf;

/// Why the log did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// Somebody else appended; nothing was. Read what is new and decide again.
    #[error("the log has moved on to entry {}; read what is new and decide again", head.seq)]
    Moved {
        /// Where the log ends now.
        head: Head,
    },
    /// A body is not what the log takes; nothing was appended.
    #[error("body {index} cannot be appended: {cause}")]
    Body {
        /// Its position in the call.
        index: usize,
        /// What is wrong with it.
        cause: String,
    },
    /// Another process writes this log.
    #[error("the log in {} is in use by another process; stop that one, or give this one a folder of its own", folder.display())]
    InUse {
        /// The log's folder.
        folder: PathBuf,
    },
    /// There is no log to read.
    #[error("there is no log in {}; name the folder that holds {}", folder.display(), crate::FILE)]
    Missing {
        /// The folder that was named.
        folder: PathBuf,
    },
    /// A log opened for reading was asked to write.
    #[error("the log in {} was opened for reading only", folder.display())]
    ReadOnly {
        /// The log's folder.
        folder: PathBuf,
    },
    /// A file or folder failed; nothing was appended, and the next append may succeed.
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// The log takes nothing more until it is opened again, because it is not known what is on disk.
    #[error(
        "the log {} takes no more entries until the server is started again: {cause}; check the disk first",
        path.display()
    )]
    Stopped {
        /// The log's file.
        path: PathBuf,
        /// The failure after which nothing is trusted.
        cause: String,
    },
    /// The log does not hold what was written into it.
    #[error("{0}; nothing was altered: restore the log from a backup, `einthoven audit verify` tells more")]
    Broken(Box<ChainBroken>),
    /// PostgreSQL cannot be reached or does not answer in time; nothing was appended.
    #[error("the log in PostgreSQL is unavailable: {cause}; nothing was appended, try again")]
    Unavailable {
        /// What failed.
        cause: String,
    },
    /// PostgreSQL went away during the commit and did not come back in time: the entries may be there or not.
    #[error("PostgreSQL went away while entries {} to {last} were committed; read the log before trying again: {cause}", after.seq + 1)]
    Unknown {
        /// Where the log ended before.
        after: Head,
        /// The number of the last entry in doubt.
        last: u64,
        /// What failed.
        cause: String,
    },
    /// PostgreSQL refuses what the log needs.
    #[error(
        "PostgreSQL refused: {cause}; the account needs a database in UTF-8 where it may create and use the table {}",
        crate::postgres::TABLE
    )]
    Refused {
        /// What it said.
        cause: String,
    },
    /// A copy would not continue what the target holds.
    #[error("{target} already holds entries that are not those of the log to copy; copy into an empty one")]
    NotEmpty {
        /// The target.
        target: String,
    },
    /// The log does not hold the head that was asked for.
    #[error("the log holds no entry {head}; ask for a head that it has had")]
    NoSuchHead {
        /// What was asked for.
        head: Head,
    },
    /// A text is no exported head.
    #[error("{place} is not an exported head: {cause}")]
    Anchor {
        /// Which text.
        place: String,
        /// What is wrong with it.
        cause: String,
    },
}

impl LogError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |cause| Self::Io {
            action,
            path,
            cause: cause.to_string(),
        }
    }
}

impl From<ChainBroken> for LogError {
    fn from(broken: ChainBroken) -> Self {
        match broken {
            ChainBroken::Unreadable(cause) => *cause,
            other => Self::Broken(Box::new(other)),
        }
    }
}
