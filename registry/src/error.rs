//! What can go wrong with the registry itself.

use einthoven_registry_log::LogError;
use einthoven_registry_state::Refusal;

/// Why the registry does not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The log is not the one that was read before: it ends earlier, or goes another way.
    #[error("the registry's log does not go on from entry {seq} as it was read before; it was restored or replaced")]
    Rewritten {
        /// The newest entry that was read.
        seq: u64,
    },
    /// An entry is nothing this build knows.
    #[error(
        "entry {seq} of the registry's log cannot be read: {cause}; it was written by a newer version of einthoven or changed by \
         hand, `einthoven audit verify` tells which"
    )]
    Entry {
        /// The entry.
        seq: u64,
        /// What is wrong with it.
        cause: String,
    },
}

/// Why a change was not made, or may not have been.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// The state forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It could not be written down.
    #[error("the change was not made: {0}")]
    Log(String),
    /// Whether it was written down is not known.
    #[error("whether the change was made is not known, look before you ask again: {0}")]
    Unknown(String),
    /// The registry is closing.
    #[error("the registry is closing; ask again when the server is back")]
    Closing,
}
