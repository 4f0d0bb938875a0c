//! The log in a file.
//!
//! One process writes: it holds a lock on the file. A step of entries is one write, then `fdatasync`, then it is
//! acknowledged. A crash can leave the beginning of a step at the file's end; it is cut off when the log is opened, and
//! nothing else ever is. A failed write is taken back, and the next append may succeed. After a failed `fdatasync` nothing
//! is trusted, because Linux forgets which pages did not reach the disk: the log takes nothing more until it is opened anew.

mod scan;
mod write;

use crate::line::Line;
use crate::{ChainBroken, Entry, Head, LogError, Verified};
use rustix::fs::FlockOperation;
use scan::{Position, scan};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::watch;
use write::Writer;

/// The name of the file in the log's folder.
pub const FILE: &str = "events.jsonl";

/// A log in a file; cheap to clone.
#[derive(Debug, Clone)]
pub struct FileLog(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    path: PathBuf,
    /// `None` in a reader. Its file holds the lock.
    writer: Option<Mutex<Writer>>,
    reading: File,
    index: RwLock<Index>,
    newest: watch::Sender<u64>,
}

/// Where the entries are: only what is acknowledged.
#[derive(Debug)]
struct Index {
    starts: Vec<u64>,
    end: Position,
}

impl FileLog {
    /// Opens the log in a folder for writing; makes both when missing.
    ///
    /// Every hash is checked. The beginning of a step that a crash left at the end is cut off, with a warning.
    ///
    /// # Errors
    /// [`LogError::InUse`] when another process writes it, [`LogError::Broken`] when an entry is not what was written,
    /// [`LogError::Io`] when the file system fails.
    pub async fn open(folder: impl Into<PathBuf>) -> Result<Self, LogError> {
        let folder = folder.into();
        blocking(move || Self::open_blocking(folder)).await
    }

    /// Opens the log in a folder for reading, also while another process writes it: takes no lock, writes nothing, passes
    /// over an unfinished step at the end. Each call sees what was appended meanwhile; [`FileLog::watch`] moves only then.
    ///
    /// It may see entries whose writer has not yet been told that they are on disk.
    ///
    /// # Errors
    /// [`LogError::Missing`] when there is no log, [`LogError::Broken`] and [`LogError::Io`] as for [`FileLog::open`].
    pub async fn open_reader(folder: impl Into<PathBuf>) -> Result<Self, LogError> {
        let folder = folder.into();
        blocking(move || {
            let path = folder.join(FILE);
            let reading = open_existing(&folder, &path)?;
            let log = Self::new(folder, path, None, reading, Position::START, Vec::new());
            log.refresh()?;
            Ok(log)
        })
        .await
    }

    /// Checks the log in a folder without opening it, also one that does not open because it is broken.
    ///
    /// # Errors
    /// The first thing that is wrong with the chain.
    pub async fn verify_folder(folder: impl Into<PathBuf>, anchors: &[Head]) -> Result<Verified, ChainBroken> {
        let folder = folder.into();
        let anchors = anchors.to_vec();
        let checked = blocking(move || {
            let path = folder.join(FILE);
            let length = length(&open_existing(&folder, &path)?, &path)?;
            Ok(verify(&path, length, &anchors))
        });
        checked.await?
    }

    /// The folder it lies in.
    pub fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// See [`crate::Log::head`].
    ///
    /// # Errors
    /// Only of a reader: as for [`FileLog::open_reader`].
    pub async fn head(&self) -> Result<Head, LogError> {
        if self.0.writer.is_some() {
            return Ok(self.end().head);
        }
        let log = self.clone();
        blocking(move || log.refresh()).await?;
        Ok(self.end().head)
    }

    /// See [`crate::Log::append`]. It goes on when the future is dropped.
    ///
    /// # Errors
    /// [`LogError::Moved`], [`LogError::Body`], [`LogError::ReadOnly`], [`LogError::Io`] (nothing was appended, try again),
    /// [`LogError::Stopped`].
    pub async fn append(&self, after: Head, bodies: Vec<String>) -> Result<Vec<Entry>, LogError> {
        let log = self.clone();
        blocking(move || log.append_blocking(after, bodies)).await
    }

    /// See [`crate::Log::read`].
    ///
    /// # Errors
    /// [`LogError::Broken`] when an entry is no longer what was written, [`LogError::Io`].
    pub async fn read(&self, after_seq: u64, limit: usize) -> Result<Vec<Entry>, LogError> {
        let log = self.clone();
        blocking(move || log.read_blocking(after_seq, limit)).await
    }

    /// See [`crate::Log::watch`].
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.0.newest.subscribe()
    }

    /// See [`crate::Log::verify`].
    ///
    /// # Errors
    /// The first thing that is wrong with the chain.
    pub async fn verify(&self, anchors: &[Head]) -> Result<Verified, ChainBroken> {
        let mut anchors = anchors.to_vec();
        let log = self.clone();
        let checked = blocking(move || {
            // What this process knows to be there counts as exported.
            let end = log.end();
            anchors.push(end.head);
            let length = if log.0.writer.is_some() {
                end.offset
            } else {
                length(&log.0.reading, &log.0.path)?
            };
            let own = anchors.len();
            Ok(verify(&log.0.path, length, &anchors).map(|verified| Verified {
                anchors: own - 1,
                ..verified
            }))
        });
        checked.await?
    }

    fn new(
        folder: PathBuf,
        path: PathBuf,
        writer: Option<Writer>,
        reading: File,
        end: Position,
        starts: Vec<u64>,
    ) -> Self {
        Self(Arc::new(Inner {
            folder,
            path,
            writer: writer.map(Mutex::new),
            reading,
            newest: watch::Sender::new(end.head.seq),
            index: RwLock::new(Index { starts, end }),
        }))
    }

    fn open_blocking(folder: PathBuf) -> Result<Self, LogError> {
        let path = folder.join(FILE);
        make(&folder)?;
        let fresh = !path.exists();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(LogError::io("open", &path))?;
        lock(&file, &folder, &path)?;
        if fresh {
            sync_folder(&folder)?;
        }
        let scanned = scan(&path, Position::START, length(&file, &path)?, false, &[])?;
        let mut end = scanned.end;
        if scanned.torn > 0 {
            tracing::warn!(
                log.path = %path.display(),
                log.torn_bytes = scanned.torn,
                log.seq = end.head.seq,
                "the end of the log is the beginning of a write that was never acknowledged; it is cut off"
            );
            file.set_len(end.offset).map_err(LogError::io("shorten", &path))?;
        }
        if scanned.unterminated {
            file.write_all_at(b"\n", end.offset)
                .map_err(LogError::io("write", &path))?;
            end.offset += 1;
        }
        // What a killed process wrote but did not sync must be on disk before anything is built on it.
        file.sync_all().map_err(LogError::io("sync", &path))?;
        let reading = File::open(&path).map_err(LogError::io("open", &path))?;
        Ok(Self::new(
            folder,
            path,
            Some(Writer::new(file)),
            reading,
            end,
            scanned.starts,
        ))
    }

    fn read_blocking(&self, after_seq: u64, limit: usize) -> Result<Vec<Entry>, LogError> {
        if self.0.writer.is_none() {
            self.refresh()?;
        }
        let (from, to) = {
            let index = self.0.index.read().unwrap_or_else(PoisonError::into_inner);
            let Some(first) = usize::try_from(after_seq)
                .ok()
                .filter(|first| *first < index.starts.len() && limit > 0)
            else {
                return Ok(Vec::new());
            };
            let next = index.starts.get(first.saturating_add(limit));
            (index.starts[first], next.copied().unwrap_or(index.end.offset))
        };
        let fail = LogError::io("read", &self.0.path);
        let mut bytes = vec![0; usize::try_from(to - from).unwrap_or(usize::MAX)];
        if let Err(cause) = self.0.reading.read_exact_at(&mut bytes, from) {
            return Err(fail(cause));
        }
        let mut entries: Vec<Entry> = Vec::new();
        for text in bytes.split(|byte| *byte == b'\n').filter(|text| !text.is_empty()) {
            let seq = after_seq + entries.len() as u64 + 1;
            let entry = Line::parse(text).ok().map(Line::to_entry);
            let before = entries.last().map(|entry| entry.hash);
            match entry {
                Some(entry)
                    if entry.seq == seq && entry.is_intact() && before.is_none_or(|hash| hash == entry.previous) =>
                {
                    entries.push(entry);
                }
                _ => {
                    return Err(LogError::Broken(Box::new(ChainBroken::Changed {
                        seq,
                        cause: "it was sound when the log was opened".into(),
                        place: self.0.path.display().to_string(),
                    })));
                }
            }
        }
        Ok(entries)
    }

    /// Takes in what another process has appended.
    fn refresh(&self) -> Result<(), LogError> {
        let mut index = self.0.index.write().unwrap_or_else(PoisonError::into_inner);
        let length = length(&self.0.reading, &self.0.path)?;
        if length < index.end.offset {
            let head = scan(&self.0.path, Position::START, length, true, &[])?.end.head;
            let anchor = index.end.head;
            return Err(LogError::Broken(Box::new(ChainBroken::Truncated { head, anchor })));
        }
        let scanned = scan(&self.0.path, index.end, length, true, &[])?;
        index.starts.extend(scanned.starts);
        index.end = scanned.end;
        self.0.newest.send_replace(index.end.head.seq);
        Ok(())
    }

    fn end(&self) -> Position {
        self.0.index.read().unwrap_or_else(PoisonError::into_inner).end
    }
}

/// Takes the lock that says that this process writes.
fn lock(file: &File, folder: &Path, path: &Path) -> Result<(), LogError> {
    // A child that a process is just starting holds the process's locks until it runs its own program, so a lock that was
    // given up may be seen for a moment longer.
    for attempt in 0.. {
        match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => break,
            Err(rustix::io::Errno::WOULDBLOCK) if attempt < 20 => std::thread::sleep(Duration::from_millis(10)),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(LogError::InUse {
                    folder: folder.to_owned(),
                });
            }
            Err(cause) => return Err(LogError::io("lock", path)(cause.into())),
        }
    }
    Ok(())
}

fn verify(path: &Path, length: u64, anchors: &[Head]) -> Result<Verified, ChainBroken> {
    let scanned = scan(path, Position::START, length, false, anchors)?;
    Ok(Verified {
        head: scanned.end.head,
        anchors: anchors.len(),
        unfinished: scanned.torn,
    })
}

fn open_existing(folder: &Path, path: &Path) -> Result<File, LogError> {
    match File::open(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Err(LogError::Missing {
            folder: folder.to_owned(),
        }),
        other => other.map_err(LogError::io("open", path)),
    }
}

fn length(file: &File, path: &Path) -> Result<u64, LogError> {
    Ok(file.metadata().map_err(LogError::io("read", path))?.len())
}

/// Makes a folder whose name is on disk when this returns.
pub(crate) fn make(folder: &Path) -> Result<(), LogError> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(LogError::io("make", folder))?;
    match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_folder(parent),
        _ => sync_folder(Path::new(".")),
    }
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), LogError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(LogError::io("sync", folder))
}

/// Runs what waits for the disk where it holds nobody up.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LogError> + Send + 'static,
) -> Result<T, LogError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(cause) => Err(LogError::Io {
            action: "work on",
            path: PathBuf::from(FILE),
            cause: cause.to_string(),
        }),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
