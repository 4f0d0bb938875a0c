//! Why an archive was refused.

/// Why an archive was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IntakeError {
    /// The archive's structure does not hold.
    #[error("`{name}` is a damaged {kind} archive: {cause}")]
    Damaged {
        /// The archive.
        name: String,
        /// `zip`, `tar` or `gzip`.
        kind: &'static str,
        /// The library's words.
        cause: String,
    },
    /// An entry that is no plain file, or whose name leads elsewhere.
    #[error("`{archive}` holds `{entry}`, {what}; pack plain files by their names alone")]
    UnsafeEntry {
        /// The archive.
        archive: String,
        /// The entry's name as stored.
        entry: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Unpacked, it would be larger than allowed.
    #[error("`{name}` unpacks to more than {limit_bytes} bytes; send fewer or smaller files at a time")]
    TooLarge {
        /// The archive.
        name: String,
        /// The bound.
        limit_bytes: u64,
    },
    /// It holds more files than allowed.
    #[error("`{name}` holds more than {limit} files; send one record at a time")]
    TooMany {
        /// The archive.
        name: String,
        /// The bound.
        limit: usize,
    },
}

impl IntakeError {
    /// Stable code for answers.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Damaged { .. } => "damaged_archive",
            Self::UnsafeEntry { .. } => "unsafe_file_name",
            Self::TooLarge { .. } | Self::TooMany { .. } => "too_large",
        }
    }
}
