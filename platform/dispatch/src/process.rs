//! What all queues of a process may hold together.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

/// Bytes and calls that all queues of a process may hold together.
#[derive(Debug)]
pub struct Allowance {
    calls: usize,
    bytes: usize,
    held_calls: AtomicUsize,
    held_bytes: AtomicUsize,
    /// Calls that their callers' threads may run at a time, and do now.
    callers: usize,
    running: AtomicUsize,
}

/// Leave for one thread to run its call itself; given back when dropped.
#[derive(Debug)]
pub(crate) struct Caller<'a>(&'a Allowance);

/// Room for one call; given back when dropped, which is when its inputs are.
#[derive(Debug)]
pub(crate) struct Room {
    of: Arc<Allowance>,
    bytes: usize,
}

impl Allowance {
    /// So many calls with so many bytes of inputs together, and so many at a time that their callers' threads run.
    #[must_use]
    pub fn new(calls: usize, bytes: usize, callers: usize) -> Arc<Self> {
        Arc::new(Self {
            calls,
            bytes,
            held_calls: AtomicUsize::new(0),
            held_bytes: AtomicUsize::new(0),
            callers,
            running: AtomicUsize::new(0),
        })
    }

    /// The one that queues share unless they are told otherwise: 16,384 calls, 1 GiB. One call at a time may be run by its
    /// caller's thread, where others are left to read requests: an engine that hangs would keep that thread.
    #[must_use]
    pub fn of_the_process() -> Arc<Self> {
        static ALL: LazyLock<Arc<Allowance>> = LazyLock::new(|| {
            let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
            Allowance::new(16_384, 1 << 30, usize::from(threads > 1))
        });
        Arc::clone(&ALL)
    }

    /// Leave to run a call in this thread.
    pub(crate) fn caller(&self) -> Option<Caller<'_>> {
        add(&self.running, 1, self.callers).then(|| Caller(self))
    }

    /// Calls and bytes held now.
    #[must_use]
    pub fn held(&self) -> (usize, usize) {
        (
            self.held_calls.load(Ordering::Relaxed),
            self.held_bytes.load(Ordering::Relaxed),
        )
    }

    pub(crate) fn room(self: &Arc<Self>, bytes: usize) -> Option<Room> {
        if !add(&self.held_calls, 1, self.calls) {
            return None;
        }
        if !add(&self.held_bytes, bytes, self.bytes) {
            self.held_calls.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Room {
            of: Arc::clone(self),
            bytes,
        })
    }
}

fn add(counter: &AtomicUsize, more: usize, most: usize) -> bool {
    counter
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
            held.checked_add(more).filter(|sum| *sum <= most)
        })
        .is_ok()
}

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.of.held_calls.fetch_sub(1, Ordering::Relaxed);
        self.of.held_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_bounded_and_comes_back() {
        let all = Allowance::new(2, 100, 0);
        let first = all.room(60).unwrap();
        assert!(all.room(41).is_none());
        assert!(all.room(usize::MAX).is_none());
        let second = all.room(40).unwrap();
        assert!(all.room(0).is_none());
        assert_eq!(all.held(), (2, 100));
        drop((first, second));
        assert_eq!(all.held(), (0, 0));
    }

    #[test]
    fn so_many_callers_run_at_a_time() {
        assert!(Allowance::new(2, 100, 0).caller().is_none());
        let all = Allowance::new(2, 100, 1);
        let first = all.caller();
        assert!(first.is_some() && all.caller().is_none());
        drop(first);
        assert!(all.caller().is_some());
    }
}
