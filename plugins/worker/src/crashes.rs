//! How often the workers of a model died, and what follows.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Crashes within a minute after which a model is given up.
pub const QUARANTINE_AFTER: usize = 5;

/// The window in which crashes count.
const WINDOW: Duration = Duration::from_secs(60);

/// Wait before the second restart; doubled for each further crash in the window.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// The crashes of one model, shared by all its workers.
#[derive(Debug, Clone, Default)]
pub struct Crashes {
    log: Arc<Mutex<Log>>,
}

#[derive(Debug, Default)]
struct Log {
    recent: VecDeque<Instant>,
    quarantined: bool,
    last: Option<String>,
}

impl Crashes {
    /// Notes one, with its cause in words.
    pub(crate) fn add(&self, now: Instant, cause: &str) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.recent.push_back(now);
        log.forget(now);
        log.quarantined |= log.recent.len() >= QUARANTINE_AFTER;
        log.last = Some(cause.to_owned());
    }

    /// How long to wait from the last crash before starting again; at once after the first.
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.forget(now);
        let Some(last) = log.recent.back() else {
            return Duration::ZERO;
        };
        let doublings = log.recent.len().saturating_sub(2).min(8) as u32;
        let wait = if log.recent.len() < 2 {
            Duration::ZERO
        } else {
            FIRST_WAIT * 2_u32.pow(doublings)
        };
        wait.saturating_sub(now.saturating_duration_since(*last))
    }

    /// Why the model is given up, if it is: five crashes within a minute. Only loading it anew ends that.
    #[must_use]
    pub fn quarantined(&self) -> Option<String> {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.quarantined.then(|| {
            let last = log.last.as_deref().unwrap_or("unknown");
            format!("it crashed {QUARANTINE_AFTER} times within a minute, last: {last}; load it again to try once more")
        })
    }
}

impl Log {
    fn forget(&mut self, now: Instant) {
        while self
            .recent
            .front()
            .is_some_and(|old| now.saturating_duration_since(*old) > WINDOW)
        {
            self.recent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_crashes_within_a_minute_are_the_end_and_slower_ones_are_not() {
        let start = Instant::now();
        let slow = Crashes::default();
        for count in 0..20 {
            slow.add(start + Duration::from_secs(20 * count), "signal 11");
        }
        assert_eq!(slow.quarantined(), None);
        let fast = Crashes::default();
        for count in 0..4 {
            fast.add(start + Duration::from_secs(count), "signal 11");
        }
        assert_eq!(fast.quarantined(), None);
        fast.add(start + Duration::from_secs(30), "signal 6");
        assert!(fast.quarantined().unwrap().contains("signal 6"));
    }

    #[test]
    fn the_first_restart_is_at_once_and_the_wait_doubles() {
        let start = Instant::now();
        let crashes = Crashes::default();
        let mut waits = Vec::new();
        for _ in 0..4 {
            crashes.add(start, "signal 9");
            waits.push(crashes.wait(start).as_millis());
        }
        assert_eq!(waits, [0, 100, 200, 400]);
        assert_eq!(crashes.wait(start + Duration::from_millis(300)).as_millis(), 100);
    }
}
