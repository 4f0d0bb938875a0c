//! The schedule behind a lock, the instances that wait for it, and how many of them there are.

use crate::call::{Call, DispatchError, Priority};
use crate::checked::{Checked, Takes};
use crate::cost::Cost;
use crate::meters::Meters;
use crate::pending::Pending;
use crate::roster::{Awake, End, Roster};
use crate::schedule::{CallId, Limits, Offer, Piece, Schedule, Whose, Wish};
use crate::settings::{Instance, Settings, Source};
use crate::statistics::Statistics;
use crate::thread::{Own, run_lent};
use einthoven_plugin_host::{Code, Failure};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Rows below which a call is not cut for instances that would be idle otherwise.
const SMALLEST_CUT: usize = 8;

/// How long no further instance is tried after one could not be made.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// How long an instance beside others waits for work before it is given up.
const IDLE: Duration = Duration::from_secs(60);

/// Seconds that pass until a thread that is woken runs, about, and that it costs.
const WAKING_S: f64 = 50e-6;

/// Seconds that a batch may take for its caller's thread to run it: not much longer than reading a request takes, since other
/// requests wait meanwhile.
const SHORT_S: f64 = 200e-6;

/// When a caller may try again.
const RETRY: (f64, f64) = (0.1, 30.0);

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

struct State {
    schedule: Schedule<Arc<Pending>>,
    cost: Cost,
    closed: bool,
    /// The instance that was made before there was a thread for it.
    spare: Option<Box<dyn Instance>>,
    threads: Roster<Own>,
    /// Batches of batch work that run now.
    long: usize,
    /// No further instance is tried before.
    not_before: Option<Instant>,
}

/// What a thread is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Whatever waits.
    Any,
    /// Interactive calls while all others are busy: those of light flows, and any where some do batch work.
    Express,
}

/// One batch that an instance is to run.
pub(crate) struct Batch {
    pub(crate) pieces: Vec<Piece<Arc<Pending>>>,
    pub(crate) priority: Priority,
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
        if let Some(state) = self.run_here(state) {
            self.rouse(state, true);
        }
        Ok((id, pending))
    }

    /// Runs the call that has just come in this thread, where it is the only one and soon over: waking an instance's thread, and
    /// being woken by it, would take as long. Gives the lock back where it did not.
    fn run_here<'q>(self: &'q Arc<Self>, mut state: MutexGuard<'q, State>) -> Option<MutexGuard<'q, State>> {
        let short = |rows: usize| state.cost.of_rows(rows).is_some_and(|seconds| seconds < SHORT_S);
        if state.schedule.calls() > 1 || !short(state.schedule.waiting_rows()) {
            return Some(state);
        }
        let Some(_leave) = self.settings.process.caller() else {
            return Some(state);
        };
        let Some(mut lent) = state.threads.lend(Own::is_ready) else {
            return Some(state);
        };
        let (batch, late) = self.take(&mut state, Whose::All);
        self.take_further(state);
        self.expire(late);
        if let Some(batch) = batch {
            run_lent(self, &mut lent.tools, batch);
        }
        let mut state = self.state();
        state.threads.back(lent);
        // What came meanwhile may have found no thread idle.
        if state.closed || state.schedule.waiting_rows() > 0 {
            state.threads.rouse();
        }
        None
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

    /// Wakes or starts whoever can take what waits. An instance's own thread does not start the express one, which would have its low
    /// priority: what a thread starts inherits that.
    fn rouse(self: &Arc<Self>, mut state: MutexGuard<'_, State>, starts_express: bool) {
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
        } else if starts_express && !state.threads.express && !state.waits_after_failure() {
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
            End::Left if state.schedule.waiting_rows() > 0 => return self.rouse(state, false),
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
            self.rouse(state, false);
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

impl State {
    fn may_start(&self, most: usize) -> bool {
        let first = self.threads.staying() == 0;
        first || (self.threads.staying() < most && !self.threads.making() && !self.waits_after_failure())
    }

    fn waits_after_failure(&self) -> bool {
        self.not_before.is_some_and(|time| Instant::now() < time)
    }

    /// What an instance beside those that there are for everything should take now, if one should.
    fn express(&self, most: usize) -> Option<Whose> {
        if self.threads.idle() > 0 || self.threads.staying() < most {
            return None;
        }
        if self.schedule.light_waits() {
            return Some(Whose::Light);
        }
        (self.long > 0 && self.schedule.waiting_of(Priority::Interactive) > 0).then_some(Whose::Interactive)
    }

    /// Whether what waits takes an instance longer than waking another one takes.
    fn pays_to_share(&self) -> bool {
        let each = self.cost.of_a_row();
        each.is_none_or(|each| self.schedule.waiting_rows() as f64 * each > WAKING_S)
    }

    /// Rows that the next batch should have at most: a share of what waits where others are idle, no more than pays where
    /// somebody waits for each.
    fn batch_rows(&self, most: usize) -> usize {
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
    fn retry_after(&self, instances: usize) -> Duration {
        let each = self.cost.of_a_row().unwrap_or(0.0);
        let seconds = self.schedule.waiting_rows() as f64 * each / instances as f64;
        Duration::from_secs_f64(seconds.clamp(RETRY.0, RETRY.1))
    }
}

#[cfg(test)]
mod tests;
