//! What can go wrong with files.

use crate::digest::Digest;
use std::path::{Path, PathBuf};

/// What can go wrong with files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FilesError {
    /// The disk refused.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// Work on the disk was given up because the process is ending.
    #[error("work on `{}` was given up because the process is ending; try again after it has started", path.display())]
    Ending {
        /// The folder of the store.
        path: PathBuf,
    },
    /// The bucket refused or cannot be reached.
    #[error("the bucket did not {action} `{key}`: {source}; check its endpoint, name, region and keys")]
    Bucket {
        /// What was tried, as a verb.
        action: &'static str,
        /// Which object.
        key: String,
        /// The client's words.
        source: object_store::Error,
    },
    /// The bucket's settings make no sense.
    #[error("the settings of bucket `{bucket}` cannot be used: {why}")]
    Settings {
        /// Name of the bucket.
        bucket: String,
        /// What is wrong with them.
        why: String,
    },
    /// Not the spelling of a digest.
    #[error("`{text}` is not a digest; write `sha256:` and 64 lower-case hexadecimal digits")]
    NotADigest {
        /// What was given, escaped, at most its first 100 characters.
        text: String,
    },
    /// The store does not hold it.
    #[error("no file {digest} is stored; pull or upload its version again")]
    Missing {
        /// What was asked for.
        digest: Digest,
    },
    /// The stored content is not what it was. The file is set aside and not given out.
    #[error(
        "file {expected} is corrupt: its {size_bytes} bytes have the digest {found}; it is set aside and not served; pull or upload its \
         version again, or restore it from a backup, and look for a failing disk"
    )]
    Corrupt {
        /// What it is known by.
        expected: Digest,
        /// What it is.
        found: Digest,
        /// Length of what was found, in bytes.
        size_bytes: u64,
    },
    /// A name that no file of a version may have.
    #[error(
        "`{name}` cannot be the name of a file: {why}; use a relative name with forward slashes, such as `data/model.onnx`"
    )]
    BadName {
        /// The name, escaped.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The upload is longer than allowed.
    #[error("the upload has more than {limit_bytes} bytes; send a smaller one, or have the limit raised")]
    TooLarge {
        /// The bound.
        limit_bytes: u64,
    },
    /// The upload ended before its end.
    #[error("the upload was cut after {received_bytes} bytes: {cause}; send it again")]
    Cut {
        /// Bytes that had come.
        received_bytes: u64,
        /// The connection's words.
        cause: String,
    },
    /// The archive's structure does not hold.
    #[error("`{archive}` is a damaged {kind} archive: {cause}; pack and send it again")]
    Damaged {
        /// The archive.
        archive: String,
        /// `zip`, `tar` or `tar.gz`.
        kind: &'static str,
        /// What does not hold.
        cause: String,
    },
    /// A member that is no plain file, or not one that can be read here.
    #[error("`{archive}` holds `{member}`, {what}; pack plain files only, in a plain zip, tar or tar.gz")]
    Refused {
        /// The archive.
        archive: String,
        /// The member's name, escaped.
        member: String,
        /// What it is.
        what: &'static str,
    },
    /// It holds more members than allowed.
    #[error("`{archive}` holds more than {limit} files; pack the files of one version only")]
    TooMany {
        /// The archive.
        archive: String,
        /// The bound.
        limit: usize,
    },
    /// Unpacked, it would be larger than allowed.
    #[error(
        "`{archive}` unpacks to more than {limit_bytes} bytes; pack the files of one version only, or have the limit raised"
    )]
    UnpacksTooLarge {
        /// The archive.
        archive: String,
        /// The bound.
        limit_bytes: u64,
    },
    /// Unpacked, it would be so much larger than packed that it is taken for an attack.
    #[error(
        "`{archive}` unpacks to more than {limit} times its size; send its files unpacked or stored without compression"
    )]
    Bomb {
        /// The archive.
        archive: String,
        /// The bound on the ratio.
        limit: u64,
    },
    /// It holds no file.
    #[error("`{archive}` holds no file; pack the files of one version")]
    Empty {
        /// The archive.
        archive: String,
    },
}

impl FilesError {
    /// Stable code for answers.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } | Self::Ending { .. } | Self::Bucket { .. } => "storage_failed",
            Self::Settings { .. } => "bad_settings",
            Self::NotADigest { .. } => "bad_digest",
            Self::Missing { .. } => "file_missing",
            Self::Corrupt { .. } => "file_corrupt",
            Self::BadName { .. } | Self::Refused { .. } => "unsafe_file_name",
            Self::Cut { .. } => "upload_cut",
            Self::Damaged { .. } | Self::Empty { .. } => "damaged_archive",
            Self::TooLarge { .. } | Self::TooMany { .. } | Self::UnpacksTooLarge { .. } | Self::Bomb { .. } => {
                "too_large"
            }
        }
    }
}

/// Makes the error of a failed call to the system.
pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> FilesError {
    let path = path.to_owned();
    move |source| FilesError::Io { action, path, source }
}
