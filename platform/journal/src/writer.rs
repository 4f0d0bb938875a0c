//! The one thread that writes entries: takes what has queued, appends it with one write, and one sync where the mode asks
//! for it, then answers everybody who waits.

use crate::frame::{self, Kind};
use crate::index::Catalog;
use crate::queue::{Pending, Queue};
use crate::segments::Segments;
use crate::{Entry, JournalError};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes in memory that one write takes at most: what the buffer's bound is exceeded by.
const BATCH: usize = 4 << 20;
/// How long entries gather after a write where nobody waits for them: waking the writer for each would cost more than they do.
const GATHER: Duration = Duration::from_millis(5);
/// How long the writer sleeps where nothing comes, and how old what is not synced gets.
const REST: Duration = Duration::from_secs(1);
/// How often old segments are looked for where none is begun.
const RETAIN: Duration = Duration::from_secs(600);
/// The longest wait before a failed write is tried again.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// How often a failed write is tried again where nobody waits for it and the journal is closing.
const LAST_TRIES: u32 = 3;

/// What the thread works on.
pub(crate) struct Writer {
    pub(crate) segments: Arc<Mutex<Segments>>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) queue: Arc<Queue>,
    /// Everything is on disk before it counts as stored.
    pub(crate) durable: bool,
    /// The segment that is being written.
    live: Option<u32>,
}

impl Writer {
    pub(crate) fn new(segments: Arc<Mutex<Segments>>, catalog: Arc<Catalog>, queue: Arc<Queue>, durable: bool) -> Self {
        Self {
            segments,
            catalog,
            queue,
            durable,
            live: None,
        }
    }

    /// Until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        let _ended = Ended(Arc::clone(&self.queue));
        let mut synced = Instant::now();
        let mut retained = Instant::now();
        while let Some(batch) = self.queue.take(BATCH, REST) {
            let idle = batch.is_empty();
            self.store(batch);
            if idle || synced.elapsed() > REST {
                self.sync();
                synced = Instant::now();
            }
            if !idle && !self.durable {
                self.queue.gather(GATHER);
            }
            if idle && retained.elapsed() > RETAIN {
                self.retain();
                retained = Instant::now();
            }
        }
        self.sync();
        self.seal();
    }

    fn store(&mut self, batch: Vec<Pending>) {
        let mut whole = Vec::with_capacity(batch.len());
        let mut bytes = Vec::new();
        for mut pending in batch {
            let start = bytes.len() as u64;
            match pending.frame.take() {
                Some(frame) => bytes.extend_from_slice(&frame),
                None => {
                    if let Err(cause) = encode(&pending.entry, &mut bytes) {
                        self.lose(pending, cause);
                        continue;
                    }
                }
            }
            whole.push((pending, start));
        }
        if whole.is_empty() {
            return;
        }
        let mut wait = Duration::from_millis(10);
        let mut tries = 0;
        while let Err(cause) = self.append(&whole, &bytes) {
            tries += 1;
            self.queue.failed();
            tracing::warn!("the journal cannot be written: {cause}");
            // Those who wait are told soon; the rest has time, and a bound on how much may wait.
            let give_up = if self.durable {
                tries > 1
            } else {
                self.queue.is_closed() && tries >= LAST_TRIES
            };
            if give_up {
                for (pending, _) in whole {
                    self.lose(pending, cause.clone());
                }
                return;
            }
            std::thread::sleep(wait);
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        let mut done: Vec<_> = whole.into_iter().map(|(pending, _)| pending).collect();
        let waiting: Vec<_> = done.iter_mut().filter_map(|pending| pending.waiting.take()).collect();
        self.queue.settle(&done, true);
        for waiting in waiting {
            // Whoever asked may be gone.
            let _ = waiting.send(Ok(()));
        }
    }

    fn append(&mut self, whole: &[(Pending, u64)], bytes: &[u8]) -> Result<(), JournalError> {
        let newest = whole.iter().map(|(pending, _)| pending.entry.at).max();
        let day = day(newest.unwrap_or_else(Timestamp::now));
        let mut segments = lock(&self.segments);
        if let Some(begun) = segments.turn(day, bytes.len() as u64)?.cloned() {
            if let Some(full) = self.live.take() {
                seal(&self.catalog, &segments, full);
            }
            self.catalog.begin(&begun);
            self.live = Some(begun.name.number);
            retain(&self.catalog, &mut segments);
        }
        let placed = segments.append(bytes, self.durable)?;
        let entries = whole
            .iter()
            .map(|(pending, start)| (pending.entry.as_ref(), placed.offset + start));
        self.catalog.add(placed.segment, entries);
        Ok(())
    }

    fn lose(&self, mut pending: Pending, cause: JournalError) {
        tracing::warn!(journal.id = %pending.entry.id, "an entry is lost: {cause}");
        let waiting = pending.waiting.take();
        self.queue.settle(&[pending], false);
        if let Some(waiting) = waiting {
            let _ = waiting.send(Err(cause));
        }
    }

    fn sync(&self) {
        if let Err(cause) = lock(&self.segments).sync() {
            self.queue.failed();
            tracing::warn!("{cause}");
        }
    }

    fn retain(&self) {
        retain(&self.catalog, &mut lock(&self.segments));
    }

    fn seal(&mut self) {
        if let Some(live) = self.live.take() {
            seal(&self.catalog, &lock(&self.segments), live);
        }
    }
}

/// However the writer ends, nobody waits for it for ever.
struct Ended(Arc<Queue>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// An entry as a frame.
pub(crate) fn encode(entry: &Entry, bytes: &mut Vec<u8>) -> Result<(), JournalError> {
    let refuse = |what: String| JournalError::Entry { what };
    entry.check().map_err(|what| refuse(what.to_owned()))?;
    let json = serde_json::to_vec(entry).map_err(|cause| refuse(cause.to_string()))?;
    frame::encode(Kind::Entry, &json, bytes).map_err(|cause| refuse(cause.to_string()))
}

pub(crate) fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

fn seal(catalog: &Catalog, segments: &Segments, number: u32) {
    let full = segments.list().iter().find(|segment| segment.name.number == number);
    if let Some(full) = full {
        catalog.seal(number, full.bytes);
    }
}

fn retain(catalog: &Catalog, segments: &mut Segments) {
    match segments.retain(day(Timestamp::now())) {
        Ok(gone) => catalog.forget(&gone),
        Err(cause) => tracing::warn!("old segments are not deleted: {cause}"),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
