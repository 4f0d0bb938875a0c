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

/// Why a change was not made.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// The state forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It could not be written down; whether it was is said in the text.
    #[error("the change was not made: {0}")]
    Log(String),
    /// The registry is closing.
    #[error("the registry is closing; ask again when the server is back")]
    Closing,
}
