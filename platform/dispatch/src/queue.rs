//! The schedule behind a lock: what is taken in, taken back and counted.

mod instances;
mod state;

use crate::call::{Call, DispatchError, Priority};
use crate::checked::{Checked, Takes};
use crate::cost::Cost;
use crate::meters::Meters;
use crate::pending::Pending;
use crate::roster::Roster;
use crate::schedule::{CallId, Limits, Offer, Schedule};
use crate::settings::{Instance, Settings, Source};
use crate::statistics::Statistics;
use einthoven_plugin_host::{Code, Failure};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use instances::By;
pub(crate) use instances::{Batch, Role};
use state::State;

/// Rows below which a call is not cut for instances that would be idle otherwise.
const SMALLEST_CUT: usize = 8;

/// How long an instance beside others waits for work before it is given up.
const IDLE: Duration = Duration::from_secs(60);

/// What all threads of one queue share.
pub(crate) struct Queue {
    pub(crate) name: String,
    pub(crate) takes: Takes,
    pub(crate) settings: Settings,
    pub(crate) source: Arc<dyn Source>,
    pub(crate) meters: Meters,
    /// Whether every call runs by itself, since the model's outputs have no rows.
    apart: AtomicBool,
    state: Mutex<State>,
    express: Condvar,
    /// How long an instance beside others waits for work before it is given up.
    idle: Duration,
}

impl Queue {
    pub(crate) fn new(
        name: &str,
        takes: Takes,
        settings: Settings,
        source: Arc<dyn Source>,
        first: Option<Box<dyn Instance>>,
    ) -> Self {
        let limits = Limits {
            calls: settings.queue_calls,
            bytes: settings.queue_bytes,
            batch_rows: settings.batch_rows.get(),
            batch_bytes: settings.batch_bytes,
        };
        Self {
            name: name.to_owned(),
            takes,
            meters: Meters::new(limits.batch_rows),
            settings,
            source,
            apart: AtomicBool::new(false),
            state: Mutex::new(State {
                schedule: Schedule::new(limits),
                cost: Cost::default(),
                closed: false,
                spare: first,
                threads: Roster::default(),
                long: 0,
                not_before: None,
            }),
            express: Condvar::new(),
            idle: IDLE,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a call in, and sees that an instance takes it out.
    pub(crate) fn submit(self: &Arc<Self>, call: Call) -> Result<(CallId, Arc<Pending>), DispatchError> {
        let asked = Instant::now();
        let refused = |why: DispatchError| {
            self.meters.lost(&why, Duration::ZERO);
            why
        };
        let checked = self.takes.check(call.inputs);
        let Checked {
            inputs,
            rows,
            bytes,
            shape,
        } = checked.map_err(|failure| refused(DispatchError::Invalid(failure)))?;
        if call.deadline.is_some_and(|deadline| deadline <= asked) {
            return Err(refused(DispatchError::Expired));
        }
        if bytes > self.settings.queue_bytes {
            let text = format!(
                "the inputs have {bytes} bytes, the queue of the model takes {} at once; send fewer rows",
                self.settings.queue_bytes
            );
            return Err(refused(DispatchError::Invalid(Failure::new(
                Code::ResourceExhausted,
                text,
            ))));
        }
        let Some(room) = self.settings.process.room(bytes) else {
            let retry_after = self.state().retry_after(self.settings.instances.get());
            return Err(refused(DispatchError::Full { retry_after }));
        };
        let pending = Arc::new(Pending::new(inputs, rows, call.deadline, asked, room));
        let mut state = self.state();
        if state.closed {
            drop(state);
            return Err(refused(DispatchError::Closed));
        }
        let fixed = shape.is_empty();
        let offer = Offer {
            flow: call.flow,
            priority: call.priority,
            shape,
            rows,
            bytes,
            asked,
            deadline: call.deadline,
            piece_rows: self.piece_rows(&state, rows, bytes),
            alone: self.runs_apart(),
        };
        let Some(id) = state.schedule.offer(offer, Arc::clone(&pending)) else {
            let retry_after = state.retry_after(self.settings.instances.get());
            drop(state);
            return Err(refused(DispatchError::Full { retry_after }));
        };
        // What a row takes says nothing of rows of other sizes.
        let may_run = call.alone && call.priority == Priority::Interactive && fixed;
        let left = if may_run { self.run_here(state) } else { Some(state) };
        if let Some(state) = left {
            self.rouse(state, By::Caller);
        }
        Ok((id, pending))
    }

    /// From now on every call runs by itself.
    pub(crate) fn run_apart(&self) {
        self.apart.store(true, Ordering::Relaxed);
    }

    fn runs_apart(&self) -> bool {
        !self.takes.batches || self.apart.load(Ordering::Relaxed)
    }

    /// Rows of a piece of a call: about a batch, and less where instances would be idle beside it.
    fn piece_rows(&self, state: &State, rows: usize, bytes: usize) -> usize {
        if self.runs_apart() {
            return rows;
        }
        let by_bytes = self.settings.batch_bytes / (bytes / rows).max(1);
        let most = self.settings.batch_rows.get().min(by_bytes).max(1);
        let mut pieces = rows.div_ceil(most);
        let instances = self.settings.instances.get();
        if pieces < instances && state.schedule.waiting_rows() == 0 {
            let busy = state.threads.staying().saturating_sub(state.threads.idle());
            let least = state.cost.worth_rows().max(SMALLEST_CUT);
            pieces = pieces.max((instances - busy.min(instances)).min(rows / least));
        }
        rows.div_ceil(pieces.max(1))
    }

    /// Nobody waits for a call any more.
    pub(crate) fn withdraw(&self, id: CallId, pending: &Pending, why: DispatchError) {
        // First, so that an instance that has just taken it sees it.
        pending.fail(why, &self.meters);
        self.state().schedule.withdraw(id);
    }

    /// Nothing is taken in any more; what waits is answered, what runs is finished, the threads end.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let left = state.schedule.clear();
        let spare = state.spare.take();
        state.threads.rouse_all();
        drop(state);
        self.express.notify_all();
        for pending in left {
            pending.fail(DispatchError::Closed, &self.meters);
        }
        drop(spare);
    }

    pub(crate) fn statistics(&self) -> Statistics {
        let state = self.state();
        let (calls, bytes) = (state.schedule.calls() as u64, state.schedule.bytes() as u64);
        let instances = state.threads.ready() + usize::from(state.spare.is_some());
        drop(state);
        Statistics {
            pending_calls: calls,
            pending_bytes: bytes,
            instances: instances as u64,
            ..self.meters.read()
        }
    }
}

#[cfg(test)]
mod tests;
