//! One instance in a child of its own, started again when it dies.

use crate::crashes::Crashes;
use crate::live::{Fault, Live, Spawner};
use crate::protocol::{LoadRequest, Opened};
use einthoven_plugin_host::{Code, Failure, Outputs, TensorView, Until};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long a request waits for a worker that is being started again, so that its caller hears within a second.
const PATIENCE: Duration = Duration::from_millis(800);

/// One instance in a child process.
pub struct Worker {
    spawner: Arc<Spawner>,
    request: Arc<LoadRequest>,
    crashes: Crashes,
    opened: Opened,
    state: State,
}

enum State {
    Live(Box<Live>),
    /// A thread starts the next child.
    Starting(Receiver<Result<Live, Fault>>),
    Dead,
}

impl Worker {
    /// Starts a child and loads the model in it. `crashes` is shared by all workers of the model.
    ///
    /// # Errors
    /// The engine's own; `Unavailable` when the child died or was too slow, or when the model is quarantined.
    pub fn start(spawner: Arc<Spawner>, request: Arc<LoadRequest>, crashes: Crashes) -> Result<Self, Failure> {
        if let Some(why) = crashes.quarantined() {
            return Err(unavailable(&why));
        }
        match Live::start(&spawner, &request) {
            Ok(live) => Ok(Self {
                opened: live.opened.clone(),
                state: State::Live(Box::new(live)),
                spawner,
                request,
                crashes,
            }),
            Err(fault) => Err(told(fault, &crashes, "while it loaded")),
        }
    }

    /// What the child said of the model.
    #[must_use]
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Identifier of the process, while it lives.
    #[must_use]
    pub fn process(&self) -> Option<u32> {
        match &self.state {
            State::Live(live) => Some(live.process()),
            _ => None,
        }
    }

    /// Runs one batch. A batch whose child died is tried once more on the next one.
    ///
    /// # Errors
    /// The engine's own; `Unavailable` when the child died twice, is not back soon enough, or the model is quarantined;
    /// `DeadlineExceeded` when the child had to be killed because it took too long.
    pub fn run(&mut self, inputs: &[TensorView<'_>], until: &Until) -> Result<Outputs, Failure> {
        let limit = self.spawner.limits.batch;
        for attempt in 0..2 {
            let live = self.live()?;
            match live.run(inputs, until, limit) {
                Ok(outputs) => return Ok(outputs),
                Err(Fault::Failed(failure)) => return Err(failure),
                Err(fault @ Fault::Late(_)) => {
                    self.state = State::Dead;
                    return Err(told(fault, &self.crashes, "during a batch"));
                }
                Err(fault @ Fault::Died(_)) => {
                    self.state = State::Dead;
                    let failure = told(fault, &self.crashes, "during a batch");
                    if attempt == 1 {
                        return Err(failure);
                    }
                }
            }
        }
        Err(unavailable("the worker died"))
    }

    /// The child, started again if it must be.
    fn live(&mut self) -> Result<&mut Live, Failure> {
        if matches!(self.state, State::Dead) {
            if let Some(why) = self.crashes.quarantined() {
                return Err(unavailable(&why));
            }
            self.state = State::Starting(self.start_again());
        }
        if let State::Starting(coming) = &self.state {
            match coming.recv_timeout(PATIENCE) {
                Ok(Ok(live)) => self.state = State::Live(Box::new(live)),
                Ok(Err(fault)) => {
                    self.state = State::Dead;
                    return Err(told(fault, &self.crashes, "while it loaded again"));
                }
                Err(RecvTimeoutError::Timeout) => return Err(unavailable("its worker is being started again")),
                Err(RecvTimeoutError::Disconnected) => {
                    self.state = State::Dead;
                    return Err(unavailable("its worker could not be started again"));
                }
            }
        }
        match &mut self.state {
            State::Live(live) => Ok(live),
            _ => Err(unavailable("its worker is not there")),
        }
    }

    fn start_again(&self) -> Receiver<Result<Live, Fault>> {
        let (give, coming) = sync_channel(1);
        let (spawner, request, crashes) = (
            Arc::clone(&self.spawner),
            Arc::clone(&self.request),
            self.crashes.clone(),
        );
        thread::spawn(move || {
            thread::sleep(crashes.wait(Instant::now()));
            // When nobody waits any more, the child dies with the value.
            give.send(Live::start(&spawner, &request)).ok();
        });
        coming
    }
}

/// A fault in words for the caller, noted where it was a crash.
pub(crate) fn told(fault: Fault, crashes: &Crashes, when: &str) -> Failure {
    match fault {
        Fault::Failed(failure) => failure,
        Fault::Died(cause) => {
            crashes.add(Instant::now(), &cause);
            tracing::warn!("a worker died {when}: {cause}");
            Failure::new(Code::Unavailable, format!("the worker process died {when}: {cause}"))
        }
        Fault::Late(late) => {
            crashes.add(Instant::now(), "it did not answer");
            tracing::warn!("a worker was killed {when}: {late}");
            Failure::new(
                Code::DeadlineExceeded,
                format!("the worker process was killed {when}: {late}"),
            )
        }
    }
}

fn unavailable(why: &str) -> Failure {
    Failure::new(Code::Unavailable, format!("the model cannot run now: {why}"))
}
