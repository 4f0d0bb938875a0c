//! Where the time of one answer goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Added up while the answer is made; clones add to the same.
#[derive(Debug, Clone, Default)]
pub struct Spent(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    began: Instant,
    prepare_us: AtomicU64,
    queue_us: AtomicU64,
    compute_us: AtomicU64,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            prepare_us: AtomicU64::new(0),
            queue_us: AtomicU64::new(0),
            compute_us: AtomicU64::new(0),
        }
    }
}

impl Spent {
    /// The first inputs are there.
    pub(super) fn prepared(&self) {
        let now = micros(self.0.began.elapsed()).max(1);
        let _ = self
            .0
            .prepare_us
            .compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// A piece was computed.
    pub(super) fn computed(&self, queued: Duration, computed: Duration) {
        self.0.queue_us.fetch_max(micros(queued), Ordering::Relaxed);
        self.0.compute_us.fetch_add(micros(computed), Ordering::Relaxed);
    }

    /// Microseconds from its making until the first inputs were there: detection, quality, recipe.
    #[must_use]
    pub fn prepare_us(&self) -> u64 {
        self.0.prepare_us.load(Ordering::Relaxed)
    }

    /// Microseconds that the piece that waited longest waited for an instance.
    #[must_use]
    pub fn queue_us(&self) -> u64 {
        self.0.queue_us.load(Ordering::Relaxed)
    }

    /// Microseconds in the engine, of all pieces together: some are computed at once.
    #[must_use]
    pub fn compute_us(&self) -> u64 {
        self.0.compute_us.load(Ordering::Relaxed)
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
