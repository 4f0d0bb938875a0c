//! How often a key is used: a bucket of tokens, kept as one number.

use crate::error::TooMany;
use einthoven_registry_state::Rate;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A bucket that holds `burst` tokens and gets `per_second` new ones. Lock-free: what is kept is the time at which it will be
/// full again (the generic cell rate algorithm).
#[derive(Debug)]
pub(crate) struct Meter {
    rate: Rate,
    /// Nanoseconds for one token, and for all that the bucket holds.
    one: u64,
    all: u64,
    start: Instant,
    /// Nanoseconds after `start` at which the bucket is full.
    full_at: AtomicU64,
}

impl Meter {
    /// A full bucket. The rate is within its bounds.
    pub(crate) fn new(rate: Rate) -> Self {
        // At most 1,000 s for one token and 1e6 tokens, so the product stays far below the largest u64.
        let one = Duration::try_from_secs_f64(1.0 / rate.per_second).unwrap_or(Duration::MAX);
        let one = u64::try_from(one.as_nanos()).unwrap_or(u64::MAX).max(1);
        Self {
            rate,
            one,
            all: one.saturating_mul(rate.burst.into()),
            start: Instant::now(),
            full_at: AtomicU64::new(0),
        }
    }

    pub(crate) fn rate(&self) -> Rate {
        self.rate
    }

    /// Takes one token.
    pub(crate) fn take(&self) -> Result<(), TooMany> {
        self.take_at(Instant::now())
    }

    /// The bucket is full again.
    pub(crate) fn fill(&self) {
        self.full_at.store(0, Ordering::Relaxed);
    }

    /// Whether nothing was taken that has not come back.
    pub(crate) fn is_full(&self) -> bool {
        self.full_at.load(Ordering::Relaxed) <= self.nanos(Instant::now())
    }

    fn nanos(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.start).as_nanos()).unwrap_or(u64::MAX)
    }

    fn take_at(&self, now: Instant) -> Result<(), TooMany> {
        let now = self.nanos(now);
        let taken = self
            .full_at
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
                let next = full_at.max(now).saturating_add(self.one);
                (next - now <= self.all).then_some(next)
            });
        taken.map(drop).map_err(|full_at| TooMany {
            retry_after: Duration::from_nanos(
                (full_at.max(now) - now)
                    .saturating_add(self.one)
                    .saturating_sub(self.all),
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let meter = Meter::new(Rate {
            per_second: 10.0,
            burst: 3,
        });
        let start = meter.start;
        for _ in 0..3 {
            meter.take_at(start).unwrap();
        }
        let refused = meter.take_at(start).unwrap_err();
        assert_eq!(refused.retry_after, Duration::from_millis(100));
        assert_eq!(refused.retry_after_s(), 1);
        let later = start + Duration::from_millis(100);
        meter.take_at(later).unwrap();
        meter.take_at(later).unwrap_err();
        // A pause fills it, but never above its burst.
        let much_later = start + Duration::from_secs(60);
        let passed = (0..10).filter(|_| meter.take_at(much_later).is_ok()).count();
        assert_eq!(passed, 3);
    }

    #[test]
    fn many_threads_get_no_more_than_one_would() {
        let meter = Meter::new(Rate {
            per_second: 0.001,
            burst: 500,
        });
        let passed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| (0..200).filter(|_| meter.take().is_ok()).count()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(passed, 500);
    }
}
