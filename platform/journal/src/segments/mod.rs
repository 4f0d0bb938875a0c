//! Append-only files of frames in one folder: written by one process, turned over by size and day, kept by days and bytes.

mod disk;
mod name;
mod scan;

pub(crate) use disk::sync_folder;
pub use disk::{Disk, LocalDisk, Sink};
pub(crate) use name::Name;
pub use scan::Damage;
pub(crate) use scan::{read_frame, scan};

use crate::JournalError;
use jiff::civil::Date;
use std::fs::{self, File};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The beginning of every segment.
pub(crate) const MAGIC: [u8; 8] = *b"EINTSEG1";
/// Where the first frame begins.
pub(crate) const FIRST: u64 = MAGIC.len() as u64;

/// When a segment is full, and how long it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Bytes above which a new segment is begun.
    pub segment_bytes: u64,
    /// Days after which a segment is deleted; none keeps for ever.
    pub days: Option<u32>,
    /// Bytes of all segments above which the oldest is deleted; none keeps all.
    pub bytes: Option<u64>,
}

impl Default for Keep {
    /// Segments of 64 MiB, nothing deleted.
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            days: None,
            bytes: None,
        }
    }
}

/// A segment that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) name: Name,
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
}

/// The writing end.
pub(crate) struct Segments {
    folder: PathBuf,
    disk: Arc<dyn Disk>,
    keep: Keep,
    /// Oldest first; the last one is written where `open` holds its sink.
    segments: Vec<Segment>,
    open: Option<Box<dyn Sink>>,
    /// Something was written since the last sync.
    dirty: bool,
    _lock: File,
}

/// Where a batch was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) segment: u32,
    /// Of its first frame.
    pub(crate) offset: u64,
}

impl Segments {
    /// Opens the folder for writing; makes it when missing. The end of the newest segment that is the beginning of a write
    /// which was never acknowledged is cut off.
    pub(crate) fn open(folder: &Path, disk: Arc<dyn Disk>, keep: Keep) -> Result<Self, JournalError> {
        make(folder)?;
        let lock = lock(folder)?;
        let mut segments = list(folder)?;
        if let Some(newest) = segments.last_mut() {
            cut(newest)?;
        }
        // A crash while the first bytes were written leaves a file without even its beginning.
        if let Some(hollow) = segments.pop_if(|newest| newest.bytes < FIRST) {
            fs::remove_file(&hollow.path).map_err(JournalError::io("remove", &hollow.path))?;
        }
        Ok(Self {
            folder: folder.to_owned(),
            disk,
            keep,
            segments,
            open: None,
            dirty: false,
            _lock: lock,
        })
    }

    /// Oldest first.
    pub(crate) fn list(&self) -> &[Segment] {
        &self.segments
    }

    /// Begins a new segment where the newest is full, from an earlier day or not to be written any more. Gives it where
    /// that happened.
    pub(crate) fn turn(&mut self, day: Date, more: u64) -> Result<Option<&Segment>, JournalError> {
        let fits = self.segments.last().is_some_and(|newest| {
            newest.name.day >= day && (newest.bytes == FIRST || newest.bytes + more <= self.keep.segment_bytes)
        });
        if fits && self.open.is_some() {
            return Ok(None);
        }
        self.sync()?;
        self.open = None;
        let number = self
            .segments
            .last()
            .map_or(1, |newest| newest.name.number.saturating_add(1));
        // Days never go backwards in the list, whatever the clock does.
        let day = self.segments.last().map_or(day, |newest| newest.name.day.max(day));
        let name = Name { number, day };
        let path = self.folder.join(name.file());
        let mut sink = self.disk.create(&path).map_err(JournalError::io("make", &path))?;
        if let Err(cause) = sink.write(&MAGIC).and_then(|()| sink.sync()) {
            drop(sink);
            // Else the same number could not be taken again.
            let _ = fs::remove_file(&path);
            return Err(JournalError::io("write", &path)(cause));
        }
        sync_folder(&self.folder)?;
        self.segments.push(Segment {
            name,
            path,
            bytes: FIRST,
        });
        self.open = Some(sink);
        Ok(self.segments.last())
    }

    /// Appends whole frames to the newest segment ([`Segments::turn`] made sure of it), and to the disk where `sync`. After
    /// an error nothing of them is there.
    pub(crate) fn append(&mut self, bytes: &[u8], sync: bool) -> Result<Placed, JournalError> {
        let (Some(newest), Some(sink)) = (self.segments.last_mut(), self.open.as_mut()) else {
            return Err(JournalError::Closed);
        };
        let offset = newest.bytes;
        let written = sink.write(bytes).and_then(|()| if sync { sink.sync() } else { Ok(()) });
        if let Err(cause) = written {
            // Linux forgets which pages did not reach the disk after a failed sync: this file takes nothing more.
            if let Err(cause) = sink.cut(offset) {
                tracing::warn!("cannot take back a failed write to {}: {cause}", newest.path.display());
            }
            self.open = None;
            self.dirty = false;
            return Err(JournalError::io("write", &newest.path)(cause));
        }
        self.dirty = !sync;
        newest.bytes += bytes.len() as u64;
        Ok(Placed {
            segment: newest.name.number,
            offset,
        })
    }

    /// Everything that was appended is on disk when this returns.
    pub(crate) fn sync(&mut self) -> Result<(), JournalError> {
        let dirty = std::mem::take(&mut self.dirty);
        if let (true, Some(newest), Some(sink)) = (dirty, self.segments.last(), self.open.as_mut())
            && let Err(cause) = sink.sync()
        {
            // As after a failed append: nobody knows what is there, so nothing is built on it.
            self.open = None;
            return Err(JournalError::io("sync", &newest.path)(cause));
        }
        Ok(())
    }

    /// Deletes what is no longer kept on `today`, never the newest. Gives the numbers of those deleted.
    pub(crate) fn retain(&mut self, today: Date) -> Result<Vec<u32>, JournalError> {
        let mut gone = Vec::new();
        let mut total: u64 = self.segments.iter().map(|segment| segment.bytes).sum();
        while self.segments.len() > 1 {
            let oldest = &self.segments[0];
            let old = self
                .keep
                .days
                .is_some_and(|days| (today - oldest.name.day).get_days() > i32::try_from(days).unwrap_or(i32::MAX));
            if !old && self.keep.bytes.is_none_or(|most| total <= most) {
                break;
            }
            fs::remove_file(&oldest.path).map_err(JournalError::io("remove", &oldest.path))?;
            total -= oldest.bytes;
            gone.push(oldest.name.number);
            self.segments.remove(0);
        }
        if !gone.is_empty() {
            sync_folder(&self.folder)?;
        }
        Ok(gone)
    }
}

/// The segments of a folder, oldest first.
fn list(folder: &Path) -> Result<Vec<Segment>, JournalError> {
    let fail = || JournalError::io("read", folder);
    let mut segments = Vec::new();
    for file in fs::read_dir(folder).map_err(fail())? {
        let file = file.map_err(fail())?;
        let Some(name) = file.file_name().to_str().and_then(Name::parse) else {
            continue;
        };
        let bytes = file.metadata().map_err(fail())?.len();
        segments.push(Segment {
            name,
            path: file.path(),
            bytes,
        });
    }
    segments.sort_by_key(|segment| segment.name.number);
    Ok(segments)
}

/// Cuts off what no whole frame follows.
fn cut(newest: &mut Segment) -> Result<(), JournalError> {
    let scanned = scan(&newest.path, &mut |_, _| {})?;
    if scanned.end == newest.bytes {
        return Ok(());
    }
    tracing::warn!(
        journal.path = %newest.path.display(),
        journal.torn_bytes = newest.bytes.saturating_sub(scanned.end),
        "the end of the segment is the beginning of a write that was never acknowledged; it is cut off"
    );
    let file = fs::OpenOptions::new()
        .write(true)
        .open(&newest.path)
        .map_err(JournalError::io("open", &newest.path))?;
    file.set_len(scanned.end)
        .and_then(|()| file.sync_all())
        .map_err(JournalError::io("shorten", &newest.path))?;
    newest.bytes = scanned.end;
    Ok(())
}

/// Makes a folder whose name is on disk when this returns.
pub(crate) fn make(folder: &Path) -> Result<(), JournalError> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(JournalError::io("make", folder))?;
    match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_folder(parent),
        _ => sync_folder(Path::new(".")),
    }
}

/// Takes the lock that says that this process writes.
fn lock(folder: &Path) -> Result<File, JournalError> {
    let path = folder.join("lock");
    let file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(JournalError::io("open", &path))?;
    // A child that a process is just starting holds the process's locks until it runs its own program, so a lock that was
    // given up may be seen for a moment longer.
    for _ in 0..20 {
        match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) => std::thread::sleep(std::time::Duration::from_millis(10)),
            Err(cause) => return Err(JournalError::io("lock", &path)(cause.into())),
        }
    }
    Err(JournalError::InUse {
        folder: folder.to_owned(),
    })
}
