//! What this server knows of running experiments: what each arm did, what the journal says of it, and when a challenger goes.

mod arguments;
pub(crate) mod evidence;
mod guard;
mod meters;
mod relabelled;
mod rules;
pub(crate) mod sentinel;
mod webhook;

pub(crate) use arguments::ComparingArguments;
pub(crate) use guard::{Looked, start};
pub(crate) use meters::{ArmOf, Meters, Outcome, Seen};
pub(crate) use rules::Rules;

use relabelled::Relabelled;
use sentinel::Sentinels;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use webhook::Webhook;

/// Everything about experiments that is this server's own.
pub(crate) struct Comparing {
    pub(crate) meters: Meters,
    /// Verdicts at once: each takes a core for a while.
    pub(crate) verdicts: Arc<Semaphore>,
    /// Between two looks at all challengers.
    every: Duration,
    webhook: Option<Webhook>,
    /// By experiment and challenger.
    looked: Mutex<BTreeMap<(String, String), Looked>>,
    /// What readers corrected, likewise.
    relabelled: Mutex<BTreeMap<(String, String), Relabelled>>,
    /// What came of the sentinel sets, and that something came.
    pub(crate) sentinels: Sentinels,
    measured: Notify,
}

impl Comparing {
    fn new(every: Duration, webhook: Option<Webhook>) -> Self {
        Self {
            meters: Meters::default(),
            verdicts: Arc::new(Semaphore::new(1)),
            every,
            webhook,
            looked: Mutex::default(),
            relabelled: Mutex::default(),
            sentinels: Sentinels::default(),
            measured: Notify::new(),
        }
    }

    fn note(&self, experiment: String, challenger: String, looked: Looked) {
        let mut all = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert((experiment, challenger), looked);
    }

    fn relabelled(&self) -> MutexGuard<'_, BTreeMap<(String, String), Relabelled>> {
        self.relabelled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was ruled about a challenger last.
    pub(crate) fn looked(&self, experiment: &str, challenger: &str) -> Option<Looked> {
        let looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        looked.get(&(experiment.to_owned(), challenger.to_owned())).cloned()
    }
}
