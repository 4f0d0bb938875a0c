//! The master key: 32 bytes as 64 hexadecimal digits in a file that nobody else may read.

use super::cipher::{self, DataKey, Wrapped};
use crate::JournalError;
use crate::segments::sync_folder;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const DIGITS: usize = 64;

/// A key under which other keys lie.
#[derive(Clone)]
pub struct MasterKey {
    path: PathBuf,
    key: Zeroizing<[u8; 32]>,
    id: String,
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MasterKey")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl MasterKey {
    /// From a file that is there.
    ///
    /// # Errors
    /// [`JournalError::MasterKey`] when there is none, everybody may read it, or it holds no key.
    pub fn read(path: &Path) -> Result<Self, JournalError> {
        let refuse = |what: &str| JournalError::MasterKey {
            path: path.to_owned(),
            what: what.to_owned(),
        };
        let file = File::open(path).map_err(|cause| match cause.kind() {
            ErrorKind::NotFound => {
                refuse("there is no such file; restore it from your copy, without it kept recordings cannot be read")
            }
            _ => refuse(&cause.to_string()),
        })?;
        let mode = file
            .metadata()
            .map_err(|cause| refuse(&cause.to_string()))?
            .permissions()
            .mode();
        if mode & 0o007 != 0 {
            return Err(refuse("everybody may read it; take that away with `chmod o=`"));
        }
        let mut text = Zeroizing::new(Vec::with_capacity(DIGITS + 2));
        file.take(DIGITS as u64 + 2)
            .read_to_end(&mut text)
            .map_err(|cause| refuse(&cause.to_string()))?;
        let mut key = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim_ascii_end(), key.as_mut())
            .map_err(|_| refuse("it must hold 64 hexadecimal digits, as `openssl rand -hex 32` prints them"))?;
        Ok(Self::of(path, key))
    }

    /// One that was read from what this file holds, or opened with it.
    fn of(path: &Path, key: Zeroizing<[u8; 32]>) -> Self {
        Self {
            path: path.to_owned(),
            id: id(&key),
            key,
        }
    }

    /// The same; where there is no file, one is made. Of two processes that make it at once one is told.
    pub(crate) fn read_or_make(path: &Path) -> Result<Self, JournalError> {
        if path.exists() {
            return Self::read(path);
        }
        let mut key = Zeroizing::new([0; 32]);
        cipher::random(key.as_mut()).map_err(|cause| JournalError::io("make", path)(std::io::Error::other(cause)))?;
        Self::of(path, key).put(path)?;
        Self::read(path)
    }

    /// Puts the key into a file that is not there yet, for this user alone.
    pub(crate) fn put(&self, path: &Path) -> Result<(), JournalError> {
        let fail = || JournalError::io("make", path);
        let text = Zeroizing::new(hex::encode(self.key.as_ref()));
        let whole = path.with_extension("new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&whole).map_err(fail())?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(fail())?;
        // Unlike a rename it does not replace one that came meanwhile.
        let linked = fs::hard_link(&whole, path);
        let _ = fs::remove_file(&whole);
        linked.map_err(fail())?;
        path.parent().map_or(Ok(()), sync_folder)
    }

    /// Says which key it is, and nothing about it.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// What stands for a text: the same one for the same text, and nobody without the key can try texts out.
    pub(crate) fn stand_in(&self, text: &str) -> String {
        mac::<12>(&self.key, text)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn wrap(&self, key: &DataKey, name: &str) -> Result<Wrapped, String> {
        cipher::wrap(&self.key, self.id.clone(), key, name)
    }

    pub(super) fn unwrap(&self, wrapped: &Wrapped, name: &str) -> Option<DataKey> {
        cipher::unwrap(&self.key, wrapped, name)
    }

    /// A key from the system's randomness, to lie under this one.
    pub(crate) fn another(&self) -> Result<Self, JournalError> {
        let DataKey(key) = DataKey::new().map_err(|cause| super::failed("make a key under", &self.path, &cause))?;
        Ok(Self::of(&self.path, key))
    }

    /// Another key under this one, as text, bound to its name.
    pub(crate) fn wrap_other(&self, other: &Self, name: &str) -> Result<String, JournalError> {
        let wrapped = self.wrap(&DataKey(other.key.clone()), name);
        let text = wrapped.map(|wrapped| wrapped.to_text());
        text.map_err(|cause| super::failed("wrap a key under", &self.path, &cause))
    }

    /// The same back; none where it lies under another key than this one, or was changed.
    pub(crate) fn unwrap_other(&self, text: &str, name: &str) -> Option<Self> {
        let wrapped = Wrapped::parse(text.as_bytes()).filter(|wrapped| wrapped.master == self.id)?;
        let DataKey(key) = self.unwrap(&wrapped, name)?;
        Some(Self::of(&self.path, key))
    }
}

fn id(key: &[u8; 32]) -> String {
    mac::<8>(key, "einthoven master key")
}

/// The first bytes of a keyed hash, in hexadecimal digits.
fn mac<const BYTES: usize>(key: &[u8; 32], text: &str) -> String {
    let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(key) else {
        return String::new();
    };
    mac.update(text.as_bytes());
    hex::encode(&mac.finalize().into_bytes()[..BYTES])
}
