//! Files in a folder, under the names of their contents.

use crate::digest::Digest;
use crate::error::{FilesError, io};
use crate::hashing;
use crate::store::{Collected, Stored};
use bytes::Bytes;
use std::collections::HashSet;
use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tempfile::NamedTempFile;

/// A folder with `files/ab/abcdef...`, `incoming/` for what is being written, and `corrupt/` for what was set aside.
#[derive(Debug, Clone)]
pub(crate) struct Disk(Arc<Folder>);

#[derive(Debug)]
struct Folder {
    root: PathBuf,
    files: PathBuf,
    incoming: PathBuf,
    corrupt: PathBuf,
    /// Held while a file gets its final name, is set aside or is removed, so that collecting never removes what was
    /// written anew a moment ago.
    naming: Mutex<()>,
}

impl Disk {
    /// Opens or makes the folder. All 256 folders are made and made safe here, so that no later write depends on a
    /// folder whose own name could still be lost.
    pub(crate) fn open(root: &Path) -> Result<Self, FilesError> {
        let folder = Folder {
            root: root.to_owned(),
            files: root.join("files"),
            incoming: root.join("incoming"),
            corrupt: root.join("corrupt"),
            naming: Mutex::new(()),
        };
        for path in [&folder.files, &folder.incoming, &folder.corrupt] {
            fs::create_dir_all(path).map_err(io("create", path))?;
        }
        for first in 0..=u8::MAX {
            let path = folder.files.join(hex::encode([first]));
            match fs::create_dir(&path) {
                Err(cause) if cause.kind() != ErrorKind::AlreadyExists => return Err(io("create", &path)(cause)),
                _ => {}
            }
        }
        sync_folder(&folder.files)?;
        sync_folder(root)?;
        if let Some(parent) = root.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_folder(parent)?;
        }
        Ok(Self(Arc::new(folder)))
    }

    pub(crate) fn root(&self) -> &Path {
        &self.0.root
    }

    pub(crate) fn incoming(&self) -> &Path {
        &self.0.incoming
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.0.files.join(hex.get(..2).unwrap_or_default()).join(hex)
    }

    fn naming(&self) -> MutexGuard<'_, ()> {
        // What it guards is the disk; a panic elsewhere left that as whole as a kill would.
        self.0.naming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a content; done means that it survives a loss of power.
    pub(crate) fn put(&self, source: &mut dyn Read) -> Result<Stored, FilesError> {
        let mut file = NamedTempFile::new_in(&self.0.incoming).map_err(io("create a file in", &self.0.incoming))?;
        let (digest, size_bytes) = hashing::copy(source, file.as_file_mut()).map_err(io("write", file.path()))?;
        self.keep(file, &digest)?;
        Ok(Stored { digest, size_bytes })
    }

    /// Gives a file in `incoming/` its final name. Where the content is there already it is replaced by the same: that
    /// heals a corrupt one, and makes an old one young for [`Disk::collect`].
    pub(crate) fn keep(&self, file: NamedTempFile, digest: &Digest) -> Result<(), FilesError> {
        file.as_file().sync_all().map_err(io("make safe", file.path()))?;
        let path = self.path(digest);
        {
            let _naming = self.naming();
            file.persist(&path).map_err(|failed| io("name", &path)(failed.error))?;
        }
        path.parent().map_or(Ok(()), sync_folder)
    }

    /// Reads a content whole.
    pub(crate) fn get(&self, digest: &Digest) -> Result<Bytes, FilesError> {
        let (path, mut file, seen) = self.opened(digest)?;
        let mut content = Vec::with_capacity(usize::try_from(seen.len()).unwrap_or_default());
        file.read_to_end(&mut content).map_err(io("read", &path))?;
        self.checked(digest, Digest::of(&content), content.len() as u64, &seen)?;
        Ok(content.into())
    }

    /// The file that holds a content, read through and found right.
    pub(crate) fn local(&self, digest: &Digest) -> Result<PathBuf, FilesError> {
        let (path, mut file, seen) = self.opened(digest)?;
        let (found, size) = hashing::copy(&mut file, &mut std::io::sink()).map_err(io("read", &path))?;
        self.checked(digest, found, size, &seen)?;
        Ok(path)
    }

    fn opened(&self, digest: &Digest) -> Result<(PathBuf, File, Metadata), FilesError> {
        let path = self.path(digest);
        match File::open(&path) {
            Ok(file) => {
                let seen = file.metadata().map_err(io("read", &path))?;
                Ok((path, file, seen))
            }
            Err(cause) if cause.kind() == ErrorKind::NotFound => Err(self.set_aside_before(digest)?),
            Err(cause) => Err(io("read", &path)(cause)),
        }
    }

    /// Sets a file aside that is not what it is known by, unless a right one has taken its place meanwhile.
    fn checked(&self, expected: &Digest, found: Digest, size_bytes: u64, seen: &Metadata) -> Result<(), FilesError> {
        if found == *expected {
            return Ok(());
        }
        let path = self.path(expected);
        let aside = self
            .0
            .corrupt
            .join(format!("{}.{}.{size_bytes}", expected.hex(), found.hex()));
        {
            let _naming = self.naming();
            if fs::metadata(&path).is_ok_and(|now| (now.dev(), now.ino()) == (seen.dev(), seen.ino())) {
                fs::rename(&path, &aside).map_err(io("set aside", &path))?;
            }
        }
        tracing::error!(%expected, %found, size_bytes, "a stored file is corrupt and was set aside");
        Err(FilesError::Corrupt {
            expected: *expected,
            found,
            size_bytes,
        })
    }

    /// Why a content is not there: it was set aside, or it never was.
    fn set_aside_before(&self, digest: &Digest) -> Result<FilesError, FilesError> {
        for aside in entries(&self.0.corrupt)? {
            if let Some((expected, found, size_bytes)) = aside_name(&aside.path)
                && expected == *digest
            {
                return Ok(FilesError::Corrupt {
                    expected,
                    found,
                    size_bytes,
                });
            }
        }
        Ok(FilesError::Missing { digest: *digest })
    }

    /// Length of a content, where it is there.
    pub(crate) fn size(&self, digest: &Digest) -> Result<Option<u64>, FilesError> {
        let path = self.path(digest);
        match fs::metadata(&path) {
            Ok(found) => Ok(Some(found.len())),
            Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(io("read", &path)(cause)),
        }
    }

    /// All contents.
    pub(crate) fn list(&self) -> Result<Vec<Stored>, FilesError> {
        Ok(self.all()?.into_iter().map(|(stored, _)| stored).collect())
    }

    fn all(&self) -> Result<Vec<(Stored, PathBuf)>, FilesError> {
        let mut all = Vec::new();
        for folder in entries(&self.0.files)?.into_iter().filter(|entry| entry.seen.is_dir()) {
            for file in entries(&folder.path)? {
                let name = file.path.file_name().and_then(|name| name.to_str());
                let Some(digest) = name.and_then(Digest::from_hex) else {
                    continue;
                };
                let size_bytes = file.seen.len();
                all.push((Stored { digest, size_bytes }, file.path));
            }
        }
        Ok(all)
    }

    /// Removes a content, where it is there.
    pub(crate) fn delete(&self, digest: &Digest) -> Result<(), FilesError> {
        let _naming = self.naming();
        remove(&self.path(digest))
    }

    /// Removes what is not kept, half-written files and what was set aside, each where older than `older_than`.
    pub(crate) fn collect(&self, keep: &HashSet<Digest>, older_than: Duration) -> Result<Collected, FilesError> {
        let mut collected = Collected::default();
        for (stored, path) in self.all()? {
            if keep.contains(&stored.digest) {
                continue;
            }
            let _naming = self.naming();
            if fs::metadata(&path).is_ok_and(|now| is_older(&now, older_than)) {
                remove(&path)?;
                collected.add(stored.size_bytes);
            }
        }
        for aside in entries(&self.0.corrupt)? {
            let needed = aside_name(&aside.path)
                .is_some_and(|(expected, ..)| keep.contains(&expected) && !self.path(&expected).exists());
            if !needed && is_older(&aside.seen, older_than) {
                remove(&aside.path)?;
                collected.add(aside.seen.len());
            }
        }
        for stale in entries(&self.0.incoming)? {
            self.collect_stale(&stale, older_than, &mut collected)?;
        }
        Ok(collected)
    }

    fn collect_stale(&self, stale: &Entry, older_than: Duration, collected: &mut Collected) -> Result<(), FilesError> {
        if !is_older(&stale.seen, older_than) {
            return Ok(());
        }
        if !stale.seen.is_dir() {
            remove(&stale.path)?;
            collected.add(stale.seen.len());
            return Ok(());
        }
        let within = entries(&stale.path)?;
        if within.iter().all(|entry| is_older(&entry.seen, older_than)) {
            fs::remove_dir_all(&stale.path).map_err(io("remove", &stale.path))?;
            within.iter().for_each(|entry| collected.add(entry.seen.len()));
        }
        Ok(())
    }
}

struct Entry {
    path: PathBuf,
    seen: Metadata,
}

/// What a folder holds; what vanishes meanwhile is left out.
fn entries(folder: &Path) -> Result<Vec<Entry>, FilesError> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).map_err(io("list", folder))? {
        let path = entry.map_err(io("list", folder))?.path();
        match fs::symlink_metadata(&path) {
            Ok(seen) => all.push(Entry { path, seen }),
            Err(cause) if cause.kind() == ErrorKind::NotFound => {}
            Err(cause) => return Err(io("read", &path)(cause)),
        }
    }
    Ok(all)
}

/// What the name of a file set aside says: what it should have been, what it is, and its length in bytes.
fn aside_name(path: &Path) -> Option<(Digest, Digest, u64)> {
    let mut parts = path.file_name()?.to_str()?.split('.');
    let mut digest = || parts.next().and_then(Digest::from_hex);
    let (expected, found) = (digest()?, digest()?);
    Some((expected, found, parts.next()?.parse().ok()?))
}

/// A time in the future, as after a clock was set back, counts as young.
fn is_older(seen: &Metadata, than: Duration) -> bool {
    let changed = seen.modified().ok();
    changed
        .and_then(|changed| SystemTime::now().duration_since(changed).ok())
        .is_some_and(|age| age >= than)
}

fn remove(path: &Path) -> Result<(), FilesError> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => Err(io("remove", path)(cause)),
        _ => Ok(()),
    }
}

/// Makes the names in a folder safe from a loss of power.
fn sync_folder(path: &Path) -> Result<(), FilesError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(io("make safe", path))
}
