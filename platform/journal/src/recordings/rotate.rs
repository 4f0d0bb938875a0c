//! A new master key in the place of another: what lies wrapped under the old one is wrapped again, file by file.
//!
//! Each key file is under the one or the other at every moment, so a process that ends in the middle loses nothing, and the next start
//! with both goes on where it ended. What lay there before keeps a second name beside the keys until it is overwritten, so that the next
//! start finds it, whichever keys that has.

use super::cipher::Wrapped;
use super::master::MasterKey;
use super::{list, overwrite, write};
use crate::JournalError;
use crate::segments::{make, sync_folder};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Files whose old content is kept until the new one is on disk.
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

/// Where recordings' keys lie, and second names of what is being replaced.
pub(super) struct Keys {
    keys: PathBuf,
    replaced: PathBuf,
}

/// One key file that is to be replaced.
struct Old {
    path: PathBuf,
    second: PathBuf,
    new: String,
}

impl Keys {
    /// In the folder of recordings.
    pub(super) fn of(recordings: &Path) -> Self {
        Self {
            keys: recordings.join("keys"),
            replaced: recordings.join("replaced"),
        }
    }

    /// Wraps every key again that lies under the old master key.
    pub(super) fn rotate(&self, old: &MasterKey, new: &MasterKey) -> Result<Rotated, JournalError> {
        let mut rotated = Rotated::default();
        for person in list(&self.keys)? {
            let mut keys = list(&person)?;
            // What a process that ended in the middle left is written again, or was never a key.
            keys.retain(|path| path.extension().is_some_and(|ending| ending == "key"));
            for some in keys.chunks(AT_ONCE) {
                let mut replaced = Vec::new();
                for path in some {
                    replaced.extend(self.wrapped_again(path, old, new, &mut rotated)?);
                }
                self.replace(&replaced)?;
                rotated.now += replaced.len();
            }
        }
        Ok(rotated)
    }

    fn wrapped_again(
        &self,
        path: &Path,
        old: &MasterKey,
        new: &MasterKey,
        rotated: &mut Rotated,
    ) -> Result<Option<Old>, JournalError> {
        let bytes = fs::read(path).map_err(JournalError::io("read", path))?;
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
        let again = new.wrap(&key, &name);
        let again = again.map_err(|cause| super::failed("wrap", path, &cause))?;
        Ok(Some(Old {
            path: path.to_owned(),
            second: self.second_name(path),
            new: again.to_text(),
        }))
    }

    /// `PERSON NAME.key`: neither has a space.
    fn second_name(&self, key: &Path) -> PathBuf {
        let within = key.strip_prefix(&self.keys).unwrap_or(key);
        self.replaced.join(within.to_string_lossy().replace('/', " "))
    }

    fn replace(&self, some: &[Old]) -> Result<(), JournalError> {
        if some.is_empty() {
            return Ok(());
        }
        make(&self.replaced)?;
        for Old { path, second, .. } in some {
            fs::hard_link(path, second).map_err(JournalError::io("name again", path))?;
        }
        // On disk before the first name leads to something else.
        sync_folder(&self.replaced)?;
        for Old { path, new, .. } in some {
            write(path, new.as_bytes())?;
        }
        self.finish()
    }

    /// Zeros over whatever was replaced, so that the old key opens nothing that a disk gives back. Disks that copy on write may hold it a
    /// while longer.
    pub(super) fn finish(&self) -> Result<(), JournalError> {
        for second in list(&self.replaced)? {
            let name = second.file_name().unwrap_or_default().to_string_lossy();
            let key = self.keys.join(name.replacen(' ', "/", 1));
            // A process that ended between the two names had not replaced it.
            if is_same(&key, &second)? {
                fs::remove_file(&second).map_err(JournalError::io("remove", &second))?;
            } else {
                overwrite(&second)?;
            }
        }
        Ok(())
    }
}

/// Whether two names lead to one file.
fn is_same(key: &Path, second: &Path) -> Result<bool, JournalError> {
    let about = |path: &Path| match fs::metadata(path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
        other => other
            .map(|about| Some((about.dev(), about.ino())))
            .map_err(JournalError::io("read", path)),
    };
    let (key, second) = (about(key)?, about(second)?);
    Ok(key.is_some() && key == second)
}
