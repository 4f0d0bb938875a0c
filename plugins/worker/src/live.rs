//! One child that lives, as its parent sees it.

use crate::cancel::Cancel;
use crate::patience::{Late, Patience};
use crate::protocol::{Answer, EngineSetup, Limits, LoadRequest, Opened, Place, Question, Wait, receive, send};
use crate::shared::{BEGIN, Shared, aligned};
use einthoven_plugin_host::{Cancellation, Code, Failure, Outputs, TensorView, Until};
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How to start a child: a program that calls [`serve`](crate::serve).
#[derive(Debug, Clone, Default)]
pub struct Spawner {
    /// The program; the product uses its own binary.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// The engines it is to have.
    pub setup: EngineSetup,
    /// What it may use.
    pub limits: Limits,
    /// By which its children may be ended before they are done.
    pub cancel: Option<Cancel>,
}

/// Why a child gave no answer.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It lives and said no.
    Failed(Failure),
    /// It is dead, with the cause in words.
    Died(String),
    /// It did not answer in time and was killed.
    Late(Late),
}

pub(crate) struct Live {
    child: Child,
    stream: UnixStream,
    shared: Shared,
    pub(crate) opened: Opened,
}

impl Drop for Live {
    fn drop(&mut self) {
        // Nothing it holds needs to be saved, and an engine that hangs would not end by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Live {
    /// Starts a child and loads a model in it.
    pub(crate) fn start(spawner: &Spawner, request: &LoadRequest) -> Result<Self, Fault> {
        let broken = |cause: io::Error| Fault::Failed(Failure::internal(format!("cannot start a worker: {cause}")));
        let (stream, theirs) = UnixStream::pair().map_err(broken)?;
        if let Some(cancel) = &spawner.cancel {
            cancel.covers(&stream).map_err(broken)?;
        }
        let mut shared = Shared::create().map_err(broken)?;
        // Standard input carries the questions and standard output the memory: both are inherited without any unsafe step
        // between fork and exec. The child moves them away before an engine could print.
        let child = Command::new(&spawner.program)
            .args(&spawner.arguments)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(shared.descriptor().map_err(broken)?))
            .spawn()
            .map_err(broken)?;
        let mut offset = BEGIN;
        let mut files = Vec::new();
        for (name, bytes) in &request.files {
            shared.write(offset, bytes).map_err(broken)?;
            offset = aligned(offset + bytes.len());
            files.push((name.clone(), bytes.len()));
        }
        let mut live = Self {
            child,
            stream,
            shared,
            opened: Opened {
                signature: einthoven_plugin_host::Signature::default(),
                runtime: String::new(),
                provider: String::new(),
            },
        };
        let question = Question::Load {
            setup: spawner.setup.clone(),
            memory_bytes: spawner.limits.memory_bytes,
            engine: request.engine.clone(),
            config: request.config.clone(),
            device: request.device.to_string(),
            entry: request.entry.clone(),
            directory: request.directory.clone(),
            files,
        };
        match live.ask(&question, spawner.limits.load, &Until::default())? {
            Answer::Opened(opened) => live.opened = opened,
            _ => return Err(strange()),
        }
        Ok(live)
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Runs one batch, within `limit` and what the caller wants.
    pub(crate) fn run(&mut self, inputs: &[TensorView<'_>], until: &Until, limit: Duration) -> Result<Outputs, Fault> {
        let places = self.place(inputs)?;
        let remaining = until
            .deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let question = Question::Run {
            inputs: places,
            remaining,
        };
        let Answer::Ran { outputs, failed, size } = self.ask(&question, limit, until)? else {
            return Err(strange());
        };
        let copied = self.shared.grow(size).and_then(|()| {
            let mut answer = Outputs::default();
            for place in outputs {
                let buffer = answer
                    .add(&place.name, place.dtype, &place.dims)
                    .map_err(io::Error::other)?;
                if buffer.len() != place.len {
                    return Err(io::Error::other("an output's length is not its shape's"));
                }
                self.shared.read(place.offset, buffer)?;
            }
            for (item, failure) in failed {
                answer.fail_item(item, failure);
            }
            Ok(answer)
        });
        copied.map_err(|cause| Fault::Died(format!("the worker gave an answer that cannot be read: {cause}")))
    }

    /// Median time of a batch of so many rows, made by repeating those of the inputs.
    pub(crate) fn measure(
        &mut self,
        inputs: &[TensorView<'_>],
        rows: usize,
        limit: Duration,
    ) -> Result<Duration, Fault> {
        let question = Question::Measure {
            inputs: self.place(inputs)?,
            rows,
        };
        match self.ask(&question, limit, &Until::default())? {
            Answer::Measured(time) => Ok(time),
            _ => Err(strange()),
        }
    }

    fn place(&mut self, inputs: &[TensorView<'_>]) -> Result<Vec<Place>, Fault> {
        let mut offset = BEGIN;
        let mut places = Vec::with_capacity(inputs.len());
        for input in inputs {
            self.shared
                .write(offset, input.bytes())
                .map_err(|cause| Fault::Failed(Failure::new(Code::ResourceExhausted, cause.to_string())))?;
            places.push(Place {
                name: input.name().to_owned(),
                dtype: input.dtype(),
                dims: input.dims().to_vec(),
                offset,
                len: input.bytes().len(),
            });
            offset = aligned(offset + input.bytes().len());
        }
        Ok(places)
    }

    fn ask(&mut self, question: &Question, limit: Duration, until: &Until) -> Result<Answer, Fault> {
        let cancelled = until.cancelled.as_deref();
        let patience = Patience::new(self.child.id(), limit, until.deadline);
        let word = self.shared.cancel_word();
        let pass_on = || word.set(cancelled.is_some_and(Cancellation::is_cancelled));
        pass_on();
        let wait = Wait {
            patience: &patience,
            pass_on: cancelled.is_some().then_some(&pass_on as &dyn Fn()),
        };
        let answer = send(&self.stream, question).and_then(|()| receive(&self.stream, Some(&wait)));
        match answer {
            Ok(Answer::Failed(failure)) => Err(Fault::Failed(failure)),
            Ok(answer) => Ok(answer),
            Err(cause) if cause.kind() == io::ErrorKind::TimedOut => {
                let late = patience.late();
                self.child.kill().ok();
                Err(Fault::Late(late))
            }
            Err(cause) => {
                self.child.kill().ok();
                let ended = self.child.wait().map_or_else(|_| cause.to_string(), ended);
                Err(Fault::Died(ended))
            }
        }
    }
}

fn strange() -> Fault {
    Fault::Died("the worker answered another question".to_owned())
}

/// How a process ended, in words.
fn ended(status: std::process::ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(4), _) => "illegal instruction (signal 4)".to_owned(),
        (Some(6), _) => "aborted (signal 6)".to_owned(),
        (Some(7), _) => "bus error (signal 7)".to_owned(),
        (Some(9), _) => "killed (signal 9)".to_owned(),
        (Some(11), _) => "segmentation fault (signal 11)".to_owned(),
        (Some(signal), _) => format!("signal {signal}"),
        (None, Some(code)) => format!("exit code {code}"),
        (None, None) => "an unknown cause".to_owned(),
    }
}
