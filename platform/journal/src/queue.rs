//! What waits for the disk: bounded in bytes, counted exactly.

use crate::{Counts, Entry, JournalError};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// Whoever waits for an entry to be on disk.
pub(crate) type Waiting = oneshot::Sender<Result<(), JournalError>>;

/// An entry that waits.
pub(crate) struct Pending {
    pub(crate) entry: Box<Entry>,
    /// Its frame where it was made already.
    pub(crate) frame: Option<Vec<u8>>,
    pub(crate) waiting: Option<Waiting>,
    cost: usize,
}

/// Between everybody who records and the one who writes.
pub(crate) struct Queue {
    most_bytes: usize,
    inner: Mutex<Inner>,
    /// The writer sleeps on it.
    more: Condvar,
    /// Whoever waits until all is written sleeps on it.
    less: Condvar,
}

#[derive(Default)]
struct Inner {
    waiting: VecDeque<Pending>,
    counts: Counts,
    /// The writer sleeps and must be woken.
    asleep: bool,
    /// Whoever waits for all that is spooled; the writer does not let more gather then.
    hurried: usize,
    closed: bool,
    /// Ever settled; only to know when what was spooled at some moment is.
    settled: u64,
}

impl Queue {
    pub(crate) fn new(most_bytes: usize) -> Self {
        Self {
            most_bytes,
            inner: Mutex::default(),
            more: Condvar::new(),
            less: Condvar::new(),
        }
    }

    /// Takes an entry, or says that it is dropped.
    pub(crate) fn push(
        &self,
        entry: Entry,
        frame: Option<Vec<u8>>,
        waiting: Option<Waiting>,
    ) -> Result<(), JournalError> {
        let cost = entry.cost() + frame.as_ref().map_or(0, Vec::len) + size_of::<Pending>();
        let entry = Box::new(entry);
        let mut inner = self.lock();
        if inner.closed {
            return Err(JournalError::Closed);
        }
        inner.counts.received += 1;
        let bytes = inner.counts.spooled_bytes.saturating_add(cost);
        if bytes > self.most_bytes {
            inner.counts.dropped += 1;
            return Err(JournalError::Full {
                waiting_bytes: inner.counts.spooled_bytes,
            });
        }
        inner.counts.spooled_bytes = bytes;
        inner.counts.spooled += 1;
        inner.waiting.push_back(Pending {
            entry,
            frame,
            waiting,
            cost,
        });
        let wake = std::mem::take(&mut inner.asleep);
        drop(inner);
        if wake {
            self.more.notify_one();
        }
        Ok(())
    }

    /// One that sampling left out.
    pub(crate) fn pass_over(&self) {
        self.lock().counts.unsampled += 1;
    }

    /// Lets entries gather for `time`, where nobody waits for one, so that the writer is not woken for each.
    pub(crate) fn gather(&self, time: Duration) {
        let calm = |inner: &mut Inner| !inner.closed && inner.hurried == 0;
        let waited = self.more.wait_timeout_while(self.lock(), time, calm);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// What has queued, up to `most_bytes` and at least one; waits for the first at most `patience`. None when it is closed
    /// and empty. What is taken still counts as spooled until [`Queue::settle`].
    pub(crate) fn take(&self, most_bytes: usize, patience: Duration) -> Option<Vec<Pending>> {
        let mut inner = self.lock();
        if inner.waiting.is_empty() && !inner.closed {
            inner.asleep = true;
            (inner, _) = self
                .more
                .wait_timeout_while(inner, patience, |inner| inner.waiting.is_empty() && !inner.closed)
                .unwrap_or_else(PoisonError::into_inner);
            inner.asleep = false;
        }
        if inner.waiting.is_empty() && inner.closed {
            return None;
        }
        let mut taken = Vec::new();
        let mut bytes = 0;
        while let Some(next) = inner.waiting.front() {
            if !taken.is_empty() && bytes + next.cost > most_bytes {
                break;
            }
            bytes += next.cost;
            taken.extend(inner.waiting.pop_front());
        }
        Some(taken)
    }

    /// These were stored, or are lost with an error that those who wait for them were given.
    pub(crate) fn settle(&self, taken: &[Pending], stored: bool) {
        let mut inner = self.lock();
        let number = taken.len() as u64;
        inner.counts.spooled -= number;
        inner.settled += number;
        inner.counts.spooled_bytes -= taken.iter().map(|pending| pending.cost).sum::<usize>();
        if stored {
            inner.counts.stored += number;
        } else {
            inner.counts.dropped += number;
        }
        drop(inner);
        self.less.notify_all();
    }

    /// A write failed.
    pub(crate) fn failed(&self) {
        self.lock().counts.failed_writes += 1;
    }

    /// Waits until everything that is spooled now was written; false when `patience` ended before.
    pub(crate) fn drained(&self, patience: Duration) -> bool {
        let mut inner = self.lock();
        let until = inner.settled + inner.counts.spooled;
        inner.hurried += 1;
        self.more.notify_one();
        let (mut inner, timeout) = self
            .less
            .wait_timeout_while(inner, patience, |inner| inner.settled < until)
            .unwrap_or_else(PoisonError::into_inner);
        inner.hurried -= 1;
        !timeout.timed_out()
    }

    /// Takes nothing more; the writer ends when it has written the rest.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.more.notify_all();
    }

    /// The writer is no more: what waits is lost, and those who wait for it are told by their channels' end.
    pub(crate) fn abandon(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        let lost = std::mem::take(&mut inner.waiting);
        let number = lost.len() as u64;
        inner.counts.dropped += number;
        inner.counts.spooled -= number;
        inner.settled += number;
        inner.counts.spooled_bytes -= lost.iter().map(|pending| pending.cost).sum::<usize>();
        drop(inner);
        self.less.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    pub(crate) fn counts(&self) -> Counts {
        self.lock().counts
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
