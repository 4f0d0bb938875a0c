//! What is written while an archive is read, and the bounds on it.

use super::{Bounds, UnpackedFile};
use crate::error::{FilesError, io};
use crate::names::{NameSet, valid_name};
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Bytes below which the ratio is not looked at: a few small files of zeros harm nobody.
const SMALL: u64 = 1 << 20;
/// Read and written at once.
const PIECE: usize = 1 << 16;

/// The files of an archive as they are written.
pub(super) struct Output<'b> {
    archive: String,
    kind: &'static str,
    folder: PathBuf,
    bounds: &'b Bounds,
    packed: u64,
    members: usize,
    written: u64,
    files: Vec<UnpackedFile>,
}

impl<'b> Output<'b> {
    pub(super) fn new(archive: String, kind: &'static str, folder: &Path, bounds: &'b Bounds, packed: u64) -> Self {
        Self {
            archive,
            kind,
            folder: folder.to_owned(),
            bounds,
            packed,
            members: 0,
            written: 0,
            files: Vec::new(),
        }
    }

    pub(super) fn bounds(&self) -> &Bounds {
        self.bounds
    }

    /// Bytes that the archive's own structure and its files may have together, so that padding and headers are bounded as well.
    pub(super) fn most_bytes(&self) -> u64 {
        let headers = (self.bounds.files as u64).saturating_mul(2 * PIECE as u64);
        self.most_by_ratio().min(self.bounds.bytes).saturating_add(headers)
    }

    fn most_by_ratio(&self) -> u64 {
        self.packed.saturating_mul(self.bounds.ratio).max(SMALL)
    }

    /// Checks a member's name and says what it is to be called; none where it is not wanted.
    pub(super) fn name(&mut self, raw: &str) -> Result<Option<String>, FilesError> {
        self.members += 1;
        if self.members > self.bounds.files {
            return Err(self.too_many());
        }
        let mut name = raw;
        while let Some(rest) = name.strip_prefix("./") {
            name = rest;
        }
        let folder = name.strip_suffix('/');
        let checked = folder.unwrap_or(name);
        if folder.is_some() && (checked.is_empty() && raw.starts_with("./") || checked == ".") {
            return Ok(None);
        }
        valid_name(checked)?;
        let base = checked.rsplit('/').next().unwrap_or_default();
        let macos = checked.split('/').any(|part| part == "__MACOSX") || base == ".DS_Store" || base.starts_with("._");
        Ok((!macos && folder.is_none()).then(|| name.to_owned()))
    }

    /// Writes a member to its end, or to a bound.
    pub(super) fn write(&mut self, name: String, content: &mut dyn Read) -> Result<u64, FilesError> {
        let path = self.folder.join(self.files.len().to_string());
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(io("create", &path))?;
        let mut piece = vec![0; PIECE];
        let mut size_bytes = 0;
        loop {
            let read = match content.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => piece.get(..read).unwrap_or_default(),
                Err(cause) => return Err(self.failed(&cause)),
            };
            self.written += read.len() as u64;
            if self.written > self.bounds.bytes {
                return Err(self.too_large());
            }
            if self.written > self.most_by_ratio() {
                return Err(FilesError::Bomb {
                    archive: self.archive.clone(),
                    limit: self.bounds.ratio,
                });
            }
            file.write_all(read).map_err(io("write", &path))?;
            size_bytes += read.len() as u64;
        }
        self.files.push(UnpackedFile { name, path, size_bytes });
        Ok(size_bytes)
    }

    /// What is known by name once all is written.
    pub(super) fn finish(mut self) -> Result<Vec<UnpackedFile>, FilesError> {
        if self.files.is_empty() {
            return Err(FilesError::Empty { archive: self.archive });
        }
        strip_single_folder(&mut self.files);
        self.files.sort_by(|a, b| a.name.cmp(&b.name));
        let mut names = NameSet::default();
        self.files.iter().try_for_each(|file| names.add(&file.name))?;
        Ok(self.files)
    }

    pub(super) fn too_many(&self) -> FilesError {
        FilesError::TooMany {
            archive: self.archive.clone(),
            limit: self.bounds.files,
        }
    }

    fn too_large(&self) -> FilesError {
        FilesError::UnpacksTooLarge {
            archive: self.archive.clone(),
            limit_bytes: self.bounds.bytes,
        }
    }

    pub(super) fn damaged(&self, cause: impl ToString) -> FilesError {
        FilesError::Damaged {
            archive: self.archive.clone(),
            kind: self.kind,
            cause: cause.to_string(),
        }
    }

    /// What a failed read of the archive means.
    pub(super) fn failed(&self, cause: &std::io::Error) -> FilesError {
        if cause.kind() == std::io::ErrorKind::FileTooLarge {
            return self.too_large();
        }
        self.damaged(cause)
    }

    pub(super) fn refused(&self, member: &str, what: &'static str) -> FilesError {
        FilesError::Refused {
            archive: self.archive.clone(),
            member: member.chars().take(200).flat_map(char::escape_debug).collect(),
            what,
        }
    }
}

/// Takes a folder that holds all files out of their names.
fn strip_single_folder(files: &mut [UnpackedFile]) {
    let top = |name: &str| name.split_once('/').map(|(top, _)| top.to_owned());
    let Some(first) = files.first().and_then(|file| top(&file.name)) else {
        return;
    };
    if files.iter().all(|file| top(&file.name).as_ref() == Some(&first)) {
        for file in files {
            file.name.drain(..=first.len());
        }
    }
}

/// Bytes that stop with an error beyond a bound.
pub(super) struct Counted<R> {
    inner: R,
    left: u64,
}

impl<R> Counted<R> {
    pub(super) fn new(inner: R, most: u64) -> Self {
        Self { inner, left: most }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or(std::io::ErrorKind::FileTooLarge)?;
        Ok(read)
    }
}
