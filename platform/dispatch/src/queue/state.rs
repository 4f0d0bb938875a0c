//! What a queue's lock guards, and what can be told from it.

use crate::call::Priority;
use crate::cost::Cost;
use crate::pending::Pending;
use crate::roster::Roster;
use crate::schedule::{Schedule, Whose};
use crate::settings::Instance;
use crate::thread::Own;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Seconds that pass until a thread that is woken runs, about, and that it costs.
const WAKING_S: f64 = 50e-6;

/// When a caller may try again.
const RETRY: (f64, f64) = (0.1, 30.0);

pub(super) struct State {
    pub(super) schedule: Schedule<Arc<Pending>>,
    pub(super) cost: Cost,
    pub(super) closed: bool,
    /// The instance that was made before there was a thread for it.
    pub(super) spare: Option<Box<dyn Instance>>,
    pub(super) threads: Roster<Own>,
    /// Batches of batch work that run now.
    pub(super) long: usize,
    /// No further instance is tried before.
    pub(super) not_before: Option<Instant>,
}

impl State {
    pub(super) fn may_start(&self, most: usize) -> bool {
        let first = self.threads.staying() == 0;
        first || (self.threads.staying() < most && !self.threads.making() && !self.waits_after_failure())
    }

    pub(super) fn waits_after_failure(&self) -> bool {
        self.not_before.is_some_and(|time| Instant::now() < time)
    }

    /// What an instance beside those that there are for everything should take now, if one should.
    pub(super) fn express(&self, most: usize) -> Option<Whose> {
        if self.threads.idle() > 0 || self.threads.staying() < most {
            return None;
        }
        if self.schedule.light_waits() {
            return Some(Whose::Light);
        }
        (self.long > 0 && self.schedule.waiting_of(Priority::Interactive) > 0).then_some(Whose::Interactive)
    }

    /// Whether what waits takes an instance longer than waking another one takes.
    pub(super) fn pays_to_share(&self) -> bool {
        let each = self.cost.of_a_row();
        each.is_none_or(|each| self.schedule.waiting_rows() as f64 * each > WAKING_S)
    }

    /// Rows that the next batch should have at most: a share of what waits where others are idle, no more than pays where
    /// somebody waits for each.
    pub(super) fn batch_rows(&self, most: usize) -> usize {
        let waiting = self.schedule.waiting_rows();
        let share = if self.pays_to_share() {
            waiting.div_ceil(self.threads.idle() + 1).max(self.cost.worth_rows())
        } else {
            waiting
        };
        let most = match self.schedule.waiting_of(Priority::Interactive) {
            0 => most,
            _ => most.min(self.cost.interactive_rows()),
        };
        share.min(most).max(1)
    }

    /// When what waits now will likely be done.
    pub(super) fn retry_after(&self, instances: usize) -> Duration {
        let each = self.cost.of_a_row().unwrap_or(0.0);
        let seconds = self.schedule.waiting_rows() as f64 * each / instances as f64;
        Duration::from_secs_f64(seconds.clamp(RETRY.0, RETRY.1))
    }
}
