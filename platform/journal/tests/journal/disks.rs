//! Disks that stall and fail.

use einthoven_journal::{Disk, LocalDisk, Sink};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};

/// The real disk with a tap.
#[derive(Default)]
pub(crate) struct Tap {
    stalled: Mutex<bool>,
    go: Condvar,
    /// Writes that fail from now on.
    pub(crate) failing_writes: AtomicU64,
    /// Syncs that fail from now on.
    pub(crate) failing_syncs: AtomicU64,
    /// No file can be made.
    pub(crate) full: AtomicBool,
    pub(crate) syncs: AtomicU64,
    /// Writes since the last sync.
    pub(crate) unsynced: AtomicU64,
}

pub(crate) struct TappedDisk(pub(crate) Arc<Tap>);

struct TappedSink {
    tap: Arc<Tap>,
    sink: Box<dyn Sink>,
}

impl Tap {
    pub(crate) fn stall(&self, stalled: bool) {
        *self.stalled.lock().unwrap() = stalled;
        self.go.notify_all();
    }

    fn pass(&self) {
        let stalled = self.stalled.lock().unwrap();
        drop(self.go.wait_while(stalled, |stalled| *stalled).unwrap());
    }
}

fn one_less(left: &AtomicU64) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
        .is_ok()
}

impl Disk for TappedDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Sink>> {
        if self.0.full.load(Ordering::SeqCst) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        let sink = LocalDisk.create(path)?;
        Ok(Box::new(TappedSink {
            tap: Arc::clone(&self.0),
            sink,
        }))
    }
}

impl Sink for TappedSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.tap.pass();
        if one_less(&self.tap.failing_writes) {
            // As a disk does that becomes full in the middle.
            self.sink.write(&bytes[..bytes.len() / 2])?;
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.tap.unsynced.fetch_add(1, Ordering::SeqCst);
        self.sink.write(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.tap.pass();
        self.tap.syncs.fetch_add(1, Ordering::SeqCst);
        if one_less(&self.tap.failing_syncs) {
            return Err(io::Error::other("the device is gone"));
        }
        self.sink.sync()?;
        self.tap.unsynced.store(0, Ordering::SeqCst);
        Ok(())
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.sink.cut(length)
    }
}
