//! A queue's instances: who is woken or started for what waits, and what each takes.

use super::Queue;
use super::state::State;
use crate::call::{DispatchError, Priority};
use crate::pending::Pending;
use crate::roster::{Awake, End, Sleeper};
use crate::schedule::{Piece, Whose, Wish};
use crate::settings::Instance;
use crate::thread::{Own, run_lent};
use einthoven_plugin_host::{Code, Failure};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long no further instance is tried after one could not be made.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// Seconds that a batch may take for its caller's thread to run it: not much longer than reading a request takes, since other
/// requests wait meanwhile.
const SHORT_S: f64 = 200e-6;

/// What a thread is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Whatever waits.
    Any,
    /// Interactive calls while all others are busy: those of light flows, and any where some do batch work.
    Express,
}

/// Who sees that what waits is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// A thread that calls.
    Caller,
    /// An instance's. It does not start the express one, which would have its low priority: what a thread starts inherits that.
    Instance,
}

/// One batch that an instance is to run.
pub(crate) struct Batch {
    pub(crate) pieces: Vec<Piece<Arc<Pending>>>,
    pub(crate) priority: Priority,
}

/// Tools that a caller has; whatever happens, they come back.
struct Lent<'q> {
    queue: &'q Queue,
    sleeper: Option<Sleeper<Own>>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let Some(sleeper) = self.sleeper.take() else { return };
        let useful = sleeper.tools.is_ready();
        let mut state = self.queue.state();
        state.threads.back(sleeper, useful);
        // What came meanwhile may have found no thread idle.
        if state.closed || state.schedule.waiting_rows() > 0 {
            state.threads.rouse();
        }
    }
}

impl Queue {
    /// Runs the call that has just come in this thread, where it is the only one and soon over: waking an instance's thread, and
    /// being woken by it, would take as long. Gives the lock back where it did not.
    pub(super) fn run_here<'q>(self: &'q Arc<Self>, mut state: MutexGuard<'q, State>) -> Option<MutexGuard<'q, State>> {
        let short = |rows: usize| state.cost.of_rows(rows).is_some_and(|seconds| seconds < SHORT_S);
        if state.schedule.calls() > 1 || !short(state.schedule.waiting_rows()) {
            return Some(state);
        }
        let Some(_leave) = self.settings.process.caller() else {
            return Some(state);
        };
        let Some(lent) = state.threads.lend(Own::is_for_callers) else {
            return Some(state);
        };
        let mut lent = Lent {
            queue: self,
            sleeper: Some(lent),
        };
        // Dropped before the tools are, should this fail.
        let mut state = state;
        let (batch, late) = self.take(&mut state, Whose::All);
        self.take_further(state);
        self.expire(late);
        if let (Some(batch), Some(sleeper)) = (batch, &mut lent.sleeper) {
            run_lent(self, &mut sleeper.tools, batch);
        }
        None
    }

    /// Wakes or starts whoever can take what waits.
    pub(super) fn rouse(self: &Arc<Self>, mut state: MutexGuard<'_, State>, by: By) {
        if state.threads.idle() > 0 {
            if state.threads.roused() == 0 || state.pays_to_share() {
                state.threads.rouse();
            }
            return;
        }
        if state.may_start(self.settings.instances.get()) {
            state.threads.begins();
            drop(state);
            self.start(Role::Any);
            return;
        }
        if !self.settings.express || state.express(self.settings.instances.get()).is_none() {
            return;
        }
        if state.threads.express_idle {
            drop(state);
            self.express.notify_one();
        } else if by == By::Caller && !state.threads.express && !state.waits_after_failure() {
            state.threads.express = true;
            drop(state);
            self.start(Role::Express);
        }
    }

    fn start(self: &Arc<Self>, role: Role) {
        let queue = Arc::clone(self);
        let named = std::thread::Builder::new().name(format!("infer {}", self.name));
        if let Err(cause) = named.spawn(move || crate::thread::serve(&queue, role)) {
            tracing::error!("no thread could be started for `{}`: {cause}", self.name);
            self.ended(
                role,
                Some(&Failure::new(Code::ResourceExhausted, format!("no thread: {cause}"))),
            );
        }
    }

    /// The instance that was made beforehand.
    pub(crate) fn spare(&self) -> Option<Box<dyn Instance>> {
        self.state().spare.take()
    }

    /// A thread has its instance.
    pub(crate) fn made(self: &Arc<Self>) {
        self.state().threads.made();
    }

    /// A thread has its instance no more.
    pub(crate) fn unmade(&self) {
        self.state().threads.unmade();
    }

    /// Whether the queue has other instances, so that one which cannot be made may stay away for a while.
    pub(crate) fn does_without(&self) -> bool {
        let mut state = self.state();
        state.threads.not_made();
        state.not_before = Some(Instant::now() + AFTER_FAILURE);
        state.threads.ready() > 0
    }

    /// A thread has ended. Where none stays and it could not work, nobody is left who would answer.
    pub(crate) fn ended(self: &Arc<Self>, role: Role, why: Option<&Failure>) {
        let mut state = self.state();
        if role == Role::Express {
            state.threads.express = false;
            return;
        }
        match state.threads.ended(std::thread::current().id()) {
            // What came while its instance was taken down found no thread free, and none that it could start.
            End::Left if state.schedule.waiting_rows() > 0 => return self.rouse(state, By::Instance),
            End::Left | End::Lost => return,
            End::LastLost => {}
        }
        let Some(failure) = why else { return };
        let left = state.schedule.clear();
        drop(state);
        for pending in left {
            pending.fail(DispatchError::Failed(failure.clone()), &self.meters);
        }
    }

    /// The next batch, when there is one; none when the queue is closed. While the thread sleeps, its tools may be lent.
    pub(crate) fn next(self: &Arc<Self>, role: Role, own: &mut Own) -> Option<Batch> {
        let mut state = self.state();
        loop {
            if state.closed {
                return None;
            }
            let whose = match role {
                Role::Any => (state.schedule.waiting_rows() > 0).then_some(Whose::All),
                Role::Express => state.express(self.settings.instances.get()),
            };
            if let Some(whose) = whose {
                let (batch, late) = self.take(&mut state, whose);
                if batch.is_some() || !late.is_empty() {
                    self.take_further(state);
                    self.expire(late);
                    if batch.is_some() {
                        return batch;
                    }
                    state = self.state();
                    continue;
                }
            }
            state = match role {
                Role::Any => self.sleep(state, own)?,
                Role::Express => {
                    state.threads.express_idle = true;
                    let mut state = self.express.wait(state).unwrap_or_else(PoisonError::into_inner);
                    state.threads.express_idle = false;
                    state
                }
            };
        }
    }

    /// Waits for work; none where the thread is to end.
    fn sleep<'q>(&'q self, mut state: MutexGuard<'q, State>, own: &mut Own) -> Option<MutexGuard<'q, State>> {
        let thread = std::thread::current();
        let name = thread.id();
        state.threads.sleeps(thread, std::mem::take(own));
        drop(state);
        loop {
            let slept = Instant::now();
            std::thread::park_timeout(self.idle);
            let mut state = self.state();
            let unused = slept.elapsed() >= self.idle && state.schedule.waiting_rows() == 0;
            match state.threads.wakes(name, unused) {
                Awake::Works(tools) => {
                    *own = tools;
                    return Some(state);
                }
                Awake::Ends(tools) => {
                    *own = tools;
                    return None;
                }
                Awake::Lent => {}
            }
        }
    }

    /// Takes a batch out of the schedule, and calls that are too late.
    fn take(&self, state: &mut State, whose: Whose) -> (Option<Batch>, Vec<Arc<Pending>>) {
        let wish = Wish {
            rows: state.batch_rows(self.settings.batch_rows.get()),
            fixed_rows: state.cost.fixed_rows(),
            whose,
            now: Instant::now(),
        };
        let taken = state.schedule.take(wish);
        if taken.pieces.is_empty() {
            return (None, taken.late);
        }
        if taken.priority == Priority::Batch {
            state.long += 1;
        }
        let batch = Batch {
            pieces: taken.pieces,
            priority: taken.priority,
        };
        (Some(batch), taken.late)
    }

    /// Sees that somebody takes what a batch left.
    fn take_further(self: &Arc<Self>, state: MutexGuard<'_, State>) {
        if state.schedule.waiting_rows() > 0 {
            self.rouse(state, By::Instance);
        }
    }

    fn expire(&self, late: Vec<Arc<Pending>>) {
        for pending in late {
            pending.fail(DispatchError::Expired, &self.meters);
        }
    }

    /// An engine ran so many rows.
    pub(crate) fn learn(&self, rows: usize, time: Duration) {
        self.state().cost.add(rows, time.as_secs_f64());
    }

    /// Pieces have run, or will not.
    pub(crate) fn finish(&self, batch: &Batch) {
        let mut state = self.state();
        for piece in &batch.pieces {
            let failed = piece.payload.is_over() && piece.rows.len() < piece.payload.rows;
            state.schedule.finish(piece.call, failed);
        }
        if batch.priority == Priority::Batch {
            state.long -= 1;
        }
    }
}
