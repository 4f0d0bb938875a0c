//! What this server knows of running experiments: what each arm did, what the journal says of it, and when a challenger goes.

mod arguments;
pub(crate) mod drifting;
pub(crate) mod evidence;
mod guard;
mod meters;
mod outcome;
mod relabelled;
mod remembered;
mod rules;
pub(crate) mod sentinel;
mod watched;
mod webhook;
mod withdrawal;

pub(crate) use arguments::ComparingArguments;
pub(crate) use guard::{Looked, start};
pub(crate) use meters::{ArmOf, Meters, Seen};
pub(crate) use outcome::{Ending, Outcome};
pub(crate) use rules::Rules;

use drifting::Drifting;
use remembered::{Memory, Turns};
use sentinel::Sentinels;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use webhook::Webhook;

/// Challengers that are looked at at once: each reads the journal.
const LOOKS: usize = 4;

/// Everything about experiments that is this server's own.
pub(crate) struct Comparing {
    pub(crate) meters: Meters,
    /// Verdicts at once: each takes a core for a while.
    pub(crate) verdicts: Arc<Semaphore>,
    /// Between two looks at all challengers.
    every: Duration,
    /// How long one may compute.
    challenger_within: Duration,
    webhook: Option<Webhook>,
    /// By experiment and challenger.
    looked: Mutex<BTreeMap<(String, String), Looked>>,
    /// What looks leave for the next, likewise; those that are under way, and how many may be.
    memory: Memory,
    turns: Turns,
    looks: Semaphore,
    /// What became of drift.
    pub(crate) drifting: Drifting,
    /// What came of the sentinel sets, and that something came.
    pub(crate) sentinels: Sentinels,
    measured: Notify,
}

impl Comparing {
    fn new(every: Duration, challenger_within: Duration, webhook: Option<Webhook>) -> Self {
        Self {
            meters: Meters::default(),
            verdicts: Arc::new(Semaphore::new(1)),
            every,
            challenger_within,
            webhook,
            looked: Mutex::default(),
            memory: Memory::default(),
            turns: Turns::default(),
            looks: Semaphore::new(LOOKS),
            drifting: Drifting::default(),
            sentinels: Sentinels::default(),
            measured: Notify::new(),
        }
    }

    fn note(&self, experiment: String, challenger: String, looked: Looked) {
        let mut all = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert((experiment, challenger), looked);
    }

    /// Tells who wants to know. Returns at once.
    fn tell(&self, body: serde_json::Value) {
        if let Some(webhook) = self.webhook.clone() {
            tokio::spawn(async move { webhook.tell(&body).await });
        }
    }

    /// What was ruled about a challenger last.
    pub(crate) fn looked(&self, experiment: &str, challenger: &str) -> Option<Looked> {
        let looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        looked.get(&(experiment.to_owned(), challenger.to_owned())).cloned()
    }
}
