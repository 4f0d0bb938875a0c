//! A new master key in the place of another: what lies wrapped under the old one is wrapped again, file by file.
//!
//! Each key file is under the one or the other at every moment, so a process that ends in the middle loses nothing, and the next start
//! with both goes on where it ended.

use super::cipher::Wrapped;
use super::master::MasterKey;
use super::{list, write};
use crate::JournalError;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Files whose old content is held open until the new one is on disk.
const AT_ONCE: usize = 64;

/// What became of the keys.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rotated {
    /// Wrapped again.
    pub(super) now: usize,
    /// Under the new key already.
    pub(super) before: usize,
    /// Open under neither, so that their recordings cannot be read by anybody; they are left as they are.
    pub(super) unreadable: usize,
}

/// Wraps every key under `folder` again that lies under the old master key.
pub(super) fn rotate(folder: &Path, old: &MasterKey, new: &MasterKey) -> Result<Rotated, JournalError> {
    let mut rotated = Rotated::default();
    for person in list(folder)? {
        let mut keys = list(&person)?;
        // What a process that ended in the middle left is written again, or was never a key.
        keys.retain(|path| path.extension().is_some_and(|ending| ending == "key"));
        for some in keys.chunks(AT_ONCE) {
            let mut replaced = Vec::new();
            for path in some {
                replaced.extend(wrap_again(path, old, new, &mut rotated)?);
            }
            // Their new content is under their names by now, on disk.
            for (path, file) in replaced {
                blank(&path, file)?;
            }
        }
    }
    Ok(rotated)
}

/// Gives the old file, which has no name any more, where it was replaced.
fn wrap_again(
    path: &Path,
    old: &MasterKey,
    new: &MasterKey,
    rotated: &mut Rotated,
) -> Result<Option<(PathBuf, File)>, JournalError> {
    let bytes = std::fs::read(path).map_err(JournalError::io("read", path))?;
    let wrapped = Wrapped::parse(&bytes);
    if wrapped.as_ref().is_some_and(|wrapped| wrapped.master == new.id()) {
        rotated.before += 1;
        return Ok(None);
    }
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let key = wrapped.filter(|wrapped| wrapped.master == old.id());
    let Some(key) = key.and_then(|wrapped| old.unwrap(&wrapped, &name)) else {
        tracing::error!(
            "{} opens neither under the old master key nor under the new one",
            path.display()
        );
        rotated.unreadable += 1;
        return Ok(None);
    };
    let again = new
        .wrap(&key, &name)
        .map_err(|cause| super::failed("wrap", path, &cause))?;
    let file = OpenOptions::new()
        .write(true)
        .open(path)
        .map_err(JournalError::io("open", path))?;
    write(path, again.to_text().as_bytes())?;
    rotated.now += 1;
    Ok(Some((path.to_owned(), file)))
}

/// Zeros over what lay there, so that the old key opens nothing that a disk gives back. Disks that copy on write may hold it a while longer.
fn blank(path: &Path, mut file: File) -> Result<(), JournalError> {
    let length = file.metadata().map_err(JournalError::io("erase", path))?.len();
    let zeros = vec![0; usize::try_from(length.min(4096)).unwrap_or(0)];
    file.write_all(&zeros)
        .and_then(|()| file.sync_all())
        .map_err(JournalError::io("erase", path))
}
