//! Artifacts in a local folder, below a root the operator allows, without following a symbolic link.

use crate::listing::{RemoteFile, check_extent};
use crate::{ArtifactPath, Error};
use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, ResolveFlags, fstat, openat2};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

/// An open folder; what is read from it lies in it, whatever is renamed meanwhile.
pub(crate) struct Folder {
    path: PathBuf,
    handle: OwnedFd,
}

impl Folder {
    /// Opens `path` if it lies below one of `roots`.
    pub(crate) fn open(path: &Path, roots: &[PathBuf]) -> Result<Self, Error> {
        let refused = |why: String| Error::Location {
            uri: path.display().to_string(),
            why,
        };
        if path.components().any(|part| matches!(part, Component::ParentDir)) {
            return Err(refused("the path has a name that leads elsewhere".to_owned()));
        }
        for root in roots {
            let canonical = root.canonicalize().map_err(|cause| Error::Io {
                path: root.clone(),
                cause,
            })?;
            let Ok(below) = path.strip_prefix(root).or_else(|_| path.strip_prefix(&canonical)) else {
                continue;
            };
            let top = openat2(
                CWD,
                &canonical,
                OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC,
                Mode::empty(),
                ResolveFlags::NO_SYMLINKS,
            )
            .map_err(|cause| broken(&canonical, cause))?;
            let below = if below.as_os_str().is_empty() {
                Path::new(".")
            } else {
                below
            };
            let handle = open_below(&top, below, OFlags::DIRECTORY).map_err(|cause| broken(path, cause))?;
            return Ok(Self {
                path: path.to_owned(),
                handle,
            });
        }
        Err(refused(
            "the server keeps them in a folder; start it with --serve-artifacts, or, if that folder is on this machine, \
             name it in `artifact_roots` of the source"
                .to_owned(),
        ))
    }

    /// All files in it, with their sizes.
    pub(crate) fn files(&self) -> Result<Vec<RemoteFile>, Error> {
        let mut files = Vec::new();
        let mut seen = 0;
        let mut folders: Vec<(Option<ArtifactPath>, usize)> = vec![(None, 0)];
        while let Some((below, depth)) = folders.pop() {
            let name = below.as_ref().map_or(".", ArtifactPath::as_str);
            let shown = self.path.join(name);
            let handle =
                open_below(&self.handle, Path::new(name), OFlags::DIRECTORY).map_err(|cause| broken(&shown, cause))?;
            for entry in Dir::new(handle).map_err(|cause| broken(&shown, cause))? {
                let entry = entry.map_err(|cause| broken(&shown, cause))?;
                let name = entry.file_name().to_string_lossy();
                if name == "." || name == ".." {
                    continue;
                }
                let path = match &below {
                    None => ArtifactPath::new(&name)?,
                    Some(below) => below.join(&name)?,
                };
                seen += 1;
                check_extent(&self.path.display().to_string(), seen, depth)?;
                // Opened without reading, to ask what it is and fail on a link.
                let handle = open_below(&self.handle, Path::new(path.as_str()), OFlags::PATH)
                    .map_err(|cause| broken(&self.path.join(path.as_str()), cause))?;
                let facts = fstat(&handle).map_err(|cause| broken(&self.path.join(path.as_str()), cause))?;
                match FileType::from_raw_mode(facts.st_mode) {
                    FileType::Directory => folders.push((Some(path), depth + 1)),
                    FileType::RegularFile => files.push(RemoteFile {
                        path,
                        bytes: u64::try_from(facts.st_size).unwrap_or_default(),
                    }),
                    _ => return Err(refuse_kind(&self.path.join(path.as_str()))),
                }
            }
        }
        Ok(files)
    }

    /// Opens a file in it.
    pub(crate) fn file(&self, path: &ArtifactPath) -> Result<File, Error> {
        let shown = self.path.join(path.as_str());
        // Without waiting, or a pipe of that name would block for ever.
        let handle = open_below(&self.handle, Path::new(path.as_str()), OFlags::NONBLOCK)
            .map_err(|cause| broken(&shown, cause))?;
        let facts = fstat(&handle).map_err(|cause| broken(&shown, cause))?;
        if FileType::from_raw_mode(facts.st_mode) != FileType::RegularFile {
            return Err(refuse_kind(&shown));
        }
        Ok(File::from(handle))
    }
}

fn open_below(folder: &OwnedFd, path: &Path, kind: OFlags) -> Result<OwnedFd, rustix::io::Errno> {
    openat2(
        folder,
        path,
        kind | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW,
        Mode::empty(),
        ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS,
    )
}

fn refuse_kind(path: &Path) -> Error {
    Error::Location {
        uri: path.display().to_string(),
        why: "it is neither a file nor a folder; log the model as plain files".to_owned(),
    }
}

fn broken(path: &Path, cause: rustix::io::Errno) -> Error {
    if cause == rustix::io::Errno::LOOP {
        return Error::Location {
            uri: path.display().to_string(),
            why: "a symbolic link lies on the way; put the files themselves there".to_owned(),
        };
    }
    if cause == rustix::io::Errno::NOENT {
        return Error::NotFound {
            what: format!("file or folder {}", path.display()),
        };
    }
    Error::Io {
        path: path.to_owned(),
        cause: io::Error::from(cause),
    }
}
