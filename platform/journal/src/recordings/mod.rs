//! Recordings that are kept: each encrypted under a random key of its own, which lies wrapped under the master key.
//!
//! `keys/<person>/<name>.key` and `data/<person>/<name>.enc`, where the folder is a hash of the subject and the name one of
//! subject and content. Without its key file nothing opens a recording, whoever has the master key: deleting a person's
//! folder of keys erases their recordings, in copies of the data as well. Copies of the keys must be deleted by whoever
//! made them.

mod cipher;
pub(crate) mod master;
mod rotate;

pub use master::MasterKey;

use crate::JournalError;
use crate::replay::digest;
use crate::segments::{make, sync_folder};
use cipher::{DataKey, Wrapped};
use jiff::Timestamp;
use rotate::Keys;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// Whether and how long recordings are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeepRecordings {
    /// Without it nothing new is kept; what was kept can be read and erased.
    pub keep: bool,
    /// Days after which a recording is deleted with its key; none keeps for ever.
    pub days: Option<u32>,
    /// Bytes of all recordings above which the oldest is deleted; none keeps all.
    pub bytes: Option<u64>,
    /// The file with the master key; none has one made beside the recordings at first use.
    pub master_key: Option<PathBuf>,
    /// The file with the one before: when the journal is opened, what lies under that is put under the master key.
    pub previous_master_key: Option<PathBuf>,
}

/// The recordings that are kept.
pub struct Recordings {
    folder: PathBuf,
    settings: KeepRecordings,
    /// Read at first use. Whoever writes or deletes holds it.
    master: Mutex<Option<Arc<MasterKey>>>,
}

/// One recording's two files.
struct Files {
    key: PathBuf,
    data: PathBuf,
    /// What both are bound to.
    name: String,
}

impl Recordings {
    pub(crate) fn open(folder: &Path, settings: KeepRecordings) -> Result<Self, JournalError> {
        if settings.keep {
            make(folder)?;
        }
        let recordings = Self {
            folder: folder.to_owned(),
            settings,
            master: Mutex::new(None),
        };
        // A key that cannot be used is noticed when the server starts, not when a recording is lost.
        if recordings.settings.keep {
            recordings.master(&mut recordings.lock())?;
        }
        recordings.rotate()?;
        Ok(recordings)
    }

    /// Overwrites what an interrupted change of the master key left, and puts what lies under the previous one under the master key, where
    /// both are named.
    fn rotate(&self) -> Result<(), JournalError> {
        let keys = Keys::of(&self.folder);
        keys.finish()?;
        let Some(previous) = &self.settings.previous_master_key else {
            return Ok(());
        };
        let old = MasterKey::read(previous)?;
        let mut held = self.lock();
        let new = self.master(&mut held)?;
        let rotated = keys.rotate(&old, &new)?;
        tracing::info!(
            now = rotated.now,
            before = rotated.before,
            unreadable = rotated.unreadable,
            "the keys of recordings lie under the master key; the previous one opens none of them any more"
        );
        Ok(())
    }

    /// Keeps a recording where the settings say so, once for each person and content; it is on disk when this returns. Gives
    /// its SHA-256, or none where it is not kept.
    ///
    /// # Errors
    /// [`JournalError::Io`], [`JournalError::MasterKey`].
    pub fn put(&self, subject: Option<&str>, recording: &[u8]) -> Result<Option<String>, JournalError> {
        if !self.settings.keep {
            return Ok(None);
        }
        let digest = digest(recording);
        let files = self.files(subject, &digest);
        let mut held = self.lock();
        if files.key.exists() && files.data.exists() {
            return Ok(Some(digest));
        }
        let master = self.master(&mut held)?;
        let key = DataKey::new().map_err(|cause| failed("make a key for", &files.data, &cause))?;
        let wrapped = master
            .wrap(&key, &files.name)
            .map_err(|cause| failed("wrap", &files.key, &cause))?;
        let sealed = key
            .seal(&files.name, recording)
            .map_err(|cause| failed("encrypt", &files.data, &cause))?;
        // The data first: a key whose recording never came to disk would be told as a loss.
        write(&files.data, &sealed)?;
        write(&files.key, wrapped.to_text().as_bytes())?;
        Ok(Some(digest))
    }

    /// The recording with this SHA-256 of this person.
    ///
    /// # Errors
    /// [`JournalError::NotKept`], [`JournalError::Tampered`], [`JournalError::MasterKey`], [`JournalError::Io`].
    pub fn get(&self, subject: Option<&str>, digest: &str) -> Result<Vec<u8>, JournalError> {
        let files = self.files(subject, digest);
        let gone = || JournalError::NotKept {
            digest: digest.chars().take(64).collect(),
        };
        let read = |path: &Path| match fs::read(path) {
            Err(cause) if cause.kind() == ErrorKind::NotFound => Err(gone()),
            other => other.map_err(JournalError::io("read", path)),
        };
        let tampered = |path: &Path, what| JournalError::Tampered {
            path: path.to_owned(),
            what,
        };
        let wrapped = read(&files.key)?;
        let sealed = read(&files.data)?;
        let master = self.master(&mut self.lock())?;
        let wrapped = Wrapped::parse(&wrapped).ok_or_else(|| tampered(&files.key, "it is not a wrapped key"))?;
        if wrapped.master != master.id() {
            return Err(JournalError::MasterKey {
                path: master.path().to_owned(),
                what: format!(
                    "{} was wrapped under another one; name that as the previous one, and what lies under it is put under this one",
                    files.key.display()
                ),
            });
        }
        let key = master
            .unwrap(&wrapped, &files.name)
            .ok_or_else(|| tampered(&files.key, "the key does not open under the master key"))?;
        let recording = key
            .open(&files.name, &sealed)
            .ok_or_else(|| tampered(&files.data, "it does not open under its key"))?;
        if self::digest(&recording) != digest {
            return Err(tampered(&files.data, "its content has another SHA-256"));
        }
        Ok(recording)
    }

    /// Whether it is kept, as far as files say.
    #[must_use]
    pub fn has(&self, subject: Option<&str>, digest: &str) -> bool {
        let files = self.files(subject, digest);
        files.key.exists() && files.data.exists()
    }

    /// Deletes the keys of a person's recordings, then the recordings. Gives how many keys there were.
    pub(crate) fn erase_subject(&self, subject: &str) -> Result<usize, JournalError> {
        let _held = self.lock();
        let person = person(Some(subject));
        let keys = self.folder.join("keys").join(&person);
        let mut erased = 0;
        for key in list(&keys)? {
            overwrite(&key)?;
            erased += 1;
        }
        remove_folder(&keys)?;
        remove_folder(&self.folder.join("data").join(&person))?;
        Ok(erased)
    }

    /// Deletes what is no longer kept, keys first.
    pub(crate) fn retain(&self, now: Timestamp) -> Result<(), JournalError> {
        if self.settings.days.is_none() && self.settings.bytes.is_none() {
            return Ok(());
        }
        let _held = self.lock();
        let mut kept = Vec::new();
        for person in list(&self.folder.join("data"))? {
            for data in list(&person)? {
                let fail = JournalError::io("read", &data);
                let about = fs::metadata(&data).map_err(fail)?;
                kept.push((about.modified().unwrap_or(SystemTime::UNIX_EPOCH), about.len(), data));
            }
        }
        kept.sort_unstable();
        let mut total: u64 = kept.iter().map(|(_, bytes, _)| bytes).sum();
        let now = SystemTime::from(now);
        for (written, bytes, data) in kept {
            let days = now.duration_since(written).map_or(0, |age| age.as_secs() / 86_400);
            let old = self.settings.days.is_some_and(|most| days > u64::from(most));
            if !old && self.settings.bytes.is_none_or(|most| total <= most) {
                break;
            }
            let key = self.key_of(&data);
            if key.exists() {
                overwrite(&key)?;
            }
            fs::remove_file(&data).map_err(JournalError::io("remove", &data))?;
            total -= bytes;
        }
        Ok(())
    }

    fn key_of(&self, data: &Path) -> PathBuf {
        let within = data.strip_prefix(self.folder.join("data")).unwrap_or(data);
        self.folder.join("keys").join(within).with_extension("key")
    }

    fn files(&self, subject: Option<&str>, content: &str) -> Files {
        let person = person(subject);
        // Neither the subject nor the digest can become a path.
        let name = digest(format!("{person} {content}").as_bytes());
        Files {
            key: self.folder.join("keys").join(&person).join(&name).with_extension("key"),
            data: self.folder.join("data").join(&person).join(&name).with_extension("enc"),
            name,
        }
    }

    fn master(&self, held: &mut Option<Arc<MasterKey>>) -> Result<Arc<MasterKey>, JournalError> {
        if let Some(master) = held {
            return Ok(Arc::clone(master));
        }
        let master = match &self.settings.master_key {
            Some(path) => MasterKey::read(path)?,
            None => {
                let path = self.folder.join("master.key");
                // A new one would make what is there unreadable without a word.
                let used = !list(&self.folder.join("keys"))?.is_empty();
                if used {
                    MasterKey::read(&path)?
                } else {
                    MasterKey::read_or_make(&path)?
                }
            }
        };
        let master = Arc::new(master);
        *held = Some(Arc::clone(&master));
        Ok(master)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<MasterKey>>> {
        self.master.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of a person's folder.
fn person(subject: Option<&str>) -> String {
    subject.map_or_else(
        || "nobody".to_owned(),
        |subject| digest(format!("subject {subject}").as_bytes()),
    )
}

fn failed(action: &'static str, path: &Path, cause: &str) -> JournalError {
    JournalError::Io {
        action,
        path: path.to_owned(),
        cause: cause.to_owned(),
    }
}

/// What lies in a folder; nothing where there is none.
fn list(folder: &Path) -> Result<Vec<PathBuf>, JournalError> {
    let fail = || JournalError::io("read", folder);
    let files = match fs::read_dir(folder) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(fail())?,
    };
    files.map(|file| Ok(file.map_err(fail())?.path())).collect()
}

/// Writes a file, whole or not at all, that is on disk under its name when this returns.
fn write(path: &Path, bytes: &[u8]) -> Result<(), JournalError> {
    let fail = || JournalError::io("write", path);
    let folder = path.parent().unwrap_or(path);
    if let Some(above) = folder.parent() {
        make(above)?;
    }
    make(folder)?;
    let whole = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut out = options.open(&whole).map_err(fail())?;
    out.write_all(bytes).and_then(|()| out.sync_all()).map_err(fail())?;
    fs::rename(&whole, path).map_err(fail())?;
    sync_folder(folder)
}

/// Zeros over a key, then no key. Disks that copy on write may hold the old bytes a while longer.
fn overwrite(key: &Path) -> Result<(), JournalError> {
    let fail = || JournalError::io("erase", key);
    let length = fs::metadata(key).map_err(fail())?.len();
    let zeros = vec![0; usize::try_from(length.min(4096)).unwrap_or(0)];
    let mut file = OpenOptions::new().write(true).open(key).map_err(fail())?;
    file.write_all(&zeros).and_then(|()| file.sync_all()).map_err(fail())?;
    fs::remove_file(key).map_err(fail())
}

fn remove_folder(folder: &Path) -> Result<(), JournalError> {
    match fs::remove_dir_all(folder) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(JournalError::io("remove", folder)(cause)),
        Ok(()) => folder.parent().map_or(Ok(()), sync_folder),
    }
}
