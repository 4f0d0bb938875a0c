//! An upload on its way to disk.

use crate::digest::Digest;
use crate::error::FilesError;
use crate::hashing::Incoming;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use std::fmt::Display;
use std::path::Path;
use tempfile::TempPath;

/// An upload on disk; its file is removed when this is dropped.
#[derive(Debug)]
pub struct ReceivedFile {
    path: TempPath,
    size_bytes: u64,
    sha256: Digest,
}

impl ReceivedFile {
    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its length in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// What its content is known by.
    #[must_use]
    pub fn sha256(&self) -> Digest {
        self.sha256
    }
}

/// Writes an upload to a file of a fresh name in the folder `into`, holding no more than one piece of it in memory.
///
/// # Errors
/// [`FilesError::TooLarge`] as soon as more than `limit_bytes` have come, [`FilesError::Cut`] where the stream fails, and
/// [`FilesError::Io`]. Nothing is left on disk then, nor when the future is dropped.
pub async fn receive<S, E>(stream: S, limit_bytes: u64, into: &Path) -> Result<ReceivedFile, FilesError>
where
    S: Stream<Item = Result<Bytes, E>>,
    E: Display,
{
    let mut stream = std::pin::pin!(stream);
    let mut incoming = Incoming::new(into)?;
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|cause| FilesError::Cut {
            received_bytes: incoming.size(),
            cause: cause.to_string(),
        })?;
        if incoming.size() + piece.len() as u64 > limit_bytes {
            return Err(FilesError::TooLarge { limit_bytes });
        }
        incoming.write(&piece).await?;
    }
    let (file, sha256, size_bytes) = incoming.finish().await?;
    Ok(ReceivedFile {
        path: file.into_temp_path(),
        size_bytes,
        sha256,
    })
}
