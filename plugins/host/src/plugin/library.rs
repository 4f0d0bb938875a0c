//! Opening a shared library, and everything that is checked before.

use super::{PluginError, Sidecar, here};
use einthoven_plugin_abi::plugin::Entry;
use libloading::os::unix::{Library as Object, RTLD_LOCAL, RTLD_NOW};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Bytes above which a file is not taken for a plugin.
const LARGEST: u64 = 1 << 30;

/// The symbol every plugin exports.
const ENTRY: &str = "einthoven_plugin_entry_v";

/// A library whose content is known. The file stays open for the life of the process.
#[derive(Debug, Clone)]
pub struct Library {
    /// Where it was found.
    pub path: PathBuf,
    /// SHA-256 of its content, 64 hexadecimal digits.
    pub sha256: String,
    /// The file that was hashed, which is the one that is opened.
    file: &'static File,
}

/// Processor, system and C library of this host, as sidecars name them.
#[must_use]
pub fn platform() -> String {
    let library = if cfg!(target_env = "musl") { "musl" } else { "gnu" };
    format!("{}-{}-{library}", std::env::consts::ARCH, std::env::consts::OS)
}

impl Library {
    /// Reads the sidecar and the library, and compares. `path` is that of either.
    pub(super) fn checked(path: &Path) -> Result<(Sidecar, Self), PluginError> {
        let is_sidecar = path.extension().is_some_and(|ending| ending == "toml");
        let sidecar = Sidecar::read(&if is_sidecar {
            path.to_owned()
        } else {
            Sidecar::beside(path)
        })?;
        let library = Self::unchecked(&sidecar.library_path())?;
        if !library.sha256.eq_ignore_ascii_case(&sidecar.sha256) {
            return Err(PluginError::Digest {
                path: library.path,
                found: library.sha256,
                stated: sidecar.sha256,
            });
        }
        Ok((sidecar, library))
    }

    /// Reads and hashes a library that nothing was said about.
    pub(super) fn unchecked(path: &Path) -> Result<Self, PluginError> {
        let failed = |cause: std::io::Error| PluginError::File {
            path: path.to_owned(),
            cause: cause.to_string(),
        };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let open = |cause| PluginError::Permissions {
            path: path.to_owned(),
            cause,
        };
        if metadata.mode() & 0o002 != 0 {
            return Err(open("may be written by everybody"));
        }
        if metadata.uid() != 0 && metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err(open("belongs to another user"));
        }
        if !metadata.is_file() || metadata.len() > LARGEST {
            return Err(failed(std::io::Error::other("is no file of at most 1 GiB")));
        }
        let mut digest = Sha256::new();
        std::io::copy(&mut &file, &mut digest).map_err(failed)?;
        // The loader compares the names it was given with those of libraries that are open, and the name will be that of
        // the descriptor: were it closed, another plugin could get its number and be taken for this one.
        Ok(Self {
            path: path.to_owned(),
            sha256: hex::encode(digest.finalize()),
            file: Box::leak(Box::new(file)),
        })
    }

    /// Opens the library for ever and finds its entry.
    pub(super) fn open(&self) -> Result<Entry, PluginError> {
        let broken = |cause: String| PluginError::Contract {
            path: self.path.clone(),
            cause,
        };
        let hashed = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        // SAFETY: its constructors run here; that is what trusting a plugin means, and its content is what was vouched for.
        let object = unsafe { Object::open(Some(&hashed), RTLD_NOW | RTLD_LOCAL) }
            .map_err(|cause| broken(cause.to_string().replace(&hashed, "the library")))?;
        // Thread-local destructors and statics keep pointing into a library, so it is never closed.
        let object = std::mem::ManuallyDrop::new(object);
        // SAFETY: the signature is fixed by the symbol's name; null is a valid `Entry`.
        let entry = unsafe { object.get::<Entry>(format!("{ENTRY}1").as_bytes()) };
        if let Ok(entry) = entry {
            return Ok(*entry);
        }
        for other in (0..=9).filter(|major| *major != 1) {
            // SAFETY: the symbol is only looked for, never called.
            if unsafe { object.get::<Entry>(format!("{ENTRY}{other}").as_bytes()) }.is_ok() {
                return Err(PluginError::Version {
                    path: self.path.clone(),
                    stated: format!("{other}.x"),
                    here: here(),
                    remedy: if other > 1 {
                        "use a newer server"
                    } else {
                        "use a newer plugin"
                    },
                });
            }
        }
        Err(broken(format!(
            "it exports no `{ENTRY}1`, so it is no Einthoven plugin"
        )))
    }
}
