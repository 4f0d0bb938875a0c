//! Bytes counted and hashed on their way.

use crate::digest::Digest;
use crate::error::{FilesError, io};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use std::io::{Read, Write};
use std::path::Path;
use tempfile::{NamedTempFile, TempPath};
use tokio::io::AsyncWriteExt;

/// Bytes read at once; large enough that calls to the system do not matter beside the hashing.
const PIECE: usize = 1 << 18;

/// Reads all of `source` into `sink`, and says how much it was and what it is known by.
pub(crate) fn copy(source: &mut dyn Read, sink: &mut dyn Write) -> std::io::Result<(Digest, u64)> {
    let mut piece = vec![0; PIECE];
    let (mut hasher, mut size) = (Sha256::new(), 0);
    loop {
        let read = match source.read(&mut piece) {
            Ok(0) => return Ok((Digest::finished(hasher), size)),
            Ok(read) => piece.get(..read).unwrap_or_default(),
            Err(cause) if cause.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(cause) => return Err(cause),
        };
        hasher.update(read);
        sink.write_all(read)?;
        size += read.len() as u64;
    }
}

/// A file that comes in pieces; removed when dropped.
pub(crate) struct Incoming {
    file: tokio::fs::File,
    path: TempPath,
    hasher: Sha256,
    size: u64,
}

impl Incoming {
    /// Begins a file of a fresh name in a folder.
    pub(crate) fn new(folder: &Path) -> Result<Self, FilesError> {
        let (file, path) = NamedTempFile::new_in(folder)
            .map_err(io("create a file in", folder))?
            .into_parts();
        Ok(Self {
            file: file.into(),
            path,
            hasher: Sha256::new(),
            size: 0,
        })
    }

    /// Bytes so far.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Appends a piece.
    pub(crate) async fn write(&mut self, piece: &Bytes) -> Result<(), FilesError> {
        self.hasher.update(piece);
        self.size += piece.len() as u64;
        self.file.write_all(piece).await.map_err(io("write", &self.path))
    }

    /// The whole file with its digest and size; not yet safe from a loss of power.
    pub(crate) async fn finish(mut self) -> Result<(NamedTempFile, Digest, u64), FilesError> {
        self.file.flush().await.map_err(io("write", &self.path))?;
        let file = self.file.into_std().await;
        Ok((
            NamedTempFile::from_parts(file, self.path),
            Digest::finished(self.hasher),
            self.size,
        ))
    }
}
