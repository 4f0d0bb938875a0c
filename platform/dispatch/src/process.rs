//! What all queues of a process may hold together.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

/// Bytes and calls that all queues of a process may hold together.
#[derive(Debug)]
pub struct Allowance {
    calls: usize,
    bytes: usize,
    held_calls: AtomicUsize,
    held_bytes: AtomicUsize,
}

/// Room for one call; given back when dropped, which is when its inputs are.
#[derive(Debug)]
pub(crate) struct Room {
    of: Arc<Allowance>,
    bytes: usize,
}

impl Allowance {
    /// So many calls with so many bytes of inputs together.
    #[must_use]
    pub fn new(calls: usize, bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            calls,
            bytes,
            held_calls: AtomicUsize::new(0),
            held_bytes: AtomicUsize::new(0),
        })
    }

    /// The one that queues share unless they are told otherwise: 16,384 calls, 1 GiB.
    #[must_use]
    pub fn of_the_process() -> Arc<Self> {
        static ALL: LazyLock<Arc<Allowance>> = LazyLock::new(|| Allowance::new(16_384, 1 << 30));
        Arc::clone(&ALL)
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
        let add = |counter: &AtomicUsize, more: usize, most: usize| {
            counter
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
                    held.checked_add(more).filter(|sum| *sum <= most)
                })
                .is_ok()
        };
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
        let all = Allowance::new(2, 100);
        let first = all.room(60).unwrap();
        assert!(all.room(41).is_none());
        assert!(all.room(usize::MAX).is_none());
        let second = all.room(40).unwrap();
        assert!(all.room(0).is_none());
        assert_eq!(all.held(), (2, 100));
        drop((first, second));
        assert_eq!(all.held(), (0, 0));
    }
}
