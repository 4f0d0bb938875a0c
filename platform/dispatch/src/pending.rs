//! One call while it waits and runs, and its answer while it comes together.

use crate::call::{DispatchError, Done};
use crate::meters::Meters;
use crate::process::Room;
use crate::tensor::Tensor;
use einthoven_plugin_host::{Cancellation, Code, DType, Failure};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

/// Bytes that the outputs of one call may take.
const MOST_ANSWER_BYTES: usize = 1 << 30;

/// What a caller gets.
pub(crate) type Answered = Result<Done, DispatchError>;

#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) inputs: Vec<Tensor>,
    pub(crate) rows: usize,
    pub(crate) deadline: Option<Instant>,
    asked: Instant,
    /// Nobody waits for it any more, or it has its answer.
    over: AtomicBool,
    answer: Mutex<Answer>,
    /// Held as long as the inputs.
    _room: Room,
}

#[derive(Debug, Default)]
struct Answer {
    done: Option<Answered>,
    answered: bool,
    waker: Option<Waker>,
    /// Of the first batch: when it began to be put together, and when the engine took it.
    started: Option<(Instant, Instant)>,
    batch_rows: usize,
    left_rows: usize,
    parts: Vec<Part>,
}

/// One output of a call that was cut, while its rows come in.
#[derive(Debug)]
struct Part {
    name: Arc<str>,
    dtype: DType,
    dims: Vec<usize>,
    data: Vec<u8>,
}

/// Where rows of a call were run.
#[derive(Debug, Clone)]
pub(crate) struct Ran {
    /// When the batch began to be put together.
    pub(crate) begun: Instant,
    pub(crate) started: Instant,
    pub(crate) ended: Instant,
    pub(crate) batch_rows: usize,
    pub(crate) provider: Arc<str>,
}

impl Pending {
    pub(crate) fn new(inputs: Vec<Tensor>, rows: usize, deadline: Option<Instant>, asked: Instant, room: Room) -> Self {
        Self {
            inputs,
            rows,
            deadline,
            asked,
            over: AtomicBool::new(false),
            answer: Mutex::new(Answer {
                left_rows: rows,
                ..Answer::default()
            }),
            _room: room,
        }
    }

    /// Whether running it is of no use any more.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    fn answer(&self) -> MutexGuard<'_, Answer> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer, once; else who asks is woken when it comes.
    pub(crate) fn poll(&self, waker: &Waker) -> Option<Answered> {
        let mut answer = self.answer();
        let done = answer.done.take();
        if done.is_none() && !answer.waker.as_ref().is_some_and(|other| other.will_wake(waker)) {
            answer.waker = Some(waker.clone());
        }
        done
    }

    /// Rows were run: outputs of these rows alone. The last ones complete the answer.
    pub(crate) fn add(&self, rows: &Range<usize>, outputs: Vec<Tensor>, ran: &Ran, meters: &Meters) {
        let mut answer = self.answer();
        if answer.answered {
            return;
        }
        let (begun, started) = *answer.started.get_or_insert((ran.begun, ran.started));
        answer.batch_rows = answer.batch_rows.max(ran.batch_rows);
        let outputs = if rows.len() == self.rows {
            Ok(Some(outputs))
        } else {
            answer.put(rows, self.rows, outputs)
        };
        match outputs {
            Ok(None) => {}
            Ok(Some(outputs)) => {
                let done = Done {
                    outputs,
                    queued: started.saturating_duration_since(self.asked),
                    assembling: started.saturating_duration_since(begun.max(self.asked)),
                    computed: ran.ended.saturating_duration_since(started),
                    asked: self.asked,
                    answered: Instant::now(),
                    batch_rows: answer.batch_rows,
                    provider: Arc::clone(&ran.provider),
                };
                meters.succeeded(self.rows, done.queued, done.computed);
                self.give(answer, Ok(done));
            }
            Err(failure) => self.lose(answer, DispatchError::Failed(failure), meters),
        }
    }

    /// It gets no outputs; of no effect where it has its answer.
    pub(crate) fn fail(&self, why: DispatchError, meters: &Meters) {
        let answer = self.answer();
        if !answer.answered {
            self.lose(answer, why, meters);
        }
    }

    fn lose(&self, answer: MutexGuard<'_, Answer>, why: DispatchError, meters: &Meters) {
        meters.lost(&why, self.asked.elapsed());
        self.give(answer, Err(why));
    }

    fn give(&self, mut answer: MutexGuard<'_, Answer>, done: Answered) {
        answer.answered = true;
        answer.done = Some(done);
        answer.parts = Vec::new();
        let waker = answer.waker.take();
        self.over.store(true, Ordering::Release);
        drop(answer);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Answer {
    /// Puts rows into their place; all outputs once every row is there.
    fn put(
        &mut self,
        rows: &Range<usize>,
        all_rows: usize,
        outputs: Vec<Tensor>,
    ) -> Result<Option<Vec<Tensor>>, Failure> {
        let changed = || Failure::internal("the model gave outputs of different shapes for rows of one call");
        if self.parts.is_empty() {
            self.parts = parts(all_rows, &outputs)?;
        }
        if self.parts.len() != outputs.len() {
            return Err(changed());
        }
        for output in outputs {
            let part = self.parts.iter_mut().find(|part| part.name == output.name);
            let part = part.filter(|part| part.dtype == output.dtype && part.dims.get(1..) == output.dims.get(1..));
            let part = part.ok_or_else(changed)?;
            let row = part.data.len() / all_rows;
            let place = part.data.get_mut(rows.start * row..rows.end * row);
            let place = place.filter(|place| place.len() == output.data.len());
            place.ok_or_else(changed)?.copy_from_slice(&output.data);
        }
        self.left_rows = self.left_rows.saturating_sub(rows.len());
        if self.left_rows > 0 {
            return Ok(None);
        }
        let whole = std::mem::take(&mut self.parts).into_iter().map(|part| Tensor {
            name: part.name,
            dtype: part.dtype,
            dims: part.dims,
            data: part.data.into(),
        });
        Ok(Some(whole.collect()))
    }
}

/// Room for all rows of each output.
fn parts(all_rows: usize, outputs: &[Tensor]) -> Result<Vec<Part>, Failure> {
    let mut total = 0_usize;
    let mut part = |output: &Tensor| {
        let mut dims = output.dims.clone();
        if let Some(first) = dims.first_mut() {
            *first = all_rows;
        }
        let bytes = (output.data.len() / output.rows().max(1)).checked_mul(all_rows);
        total = total.saturating_add(bytes.unwrap_or(usize::MAX));
        let bytes = bytes.filter(|_| total <= MOST_ANSWER_BYTES).ok_or_else(|| {
            let text = format!("the outputs of {all_rows} rows are above {MOST_ANSWER_BYTES} bytes; send fewer rows");
            Failure::new(Code::ResourceExhausted, text)
        })?;
        Ok(Part {
            name: Arc::clone(&output.name),
            dtype: output.dtype,
            dims,
            data: vec![0; bytes],
        })
    };
    outputs.iter().map(&mut part).collect()
}

/// Says when everybody who waits for a batch has gone.
#[derive(Debug)]
pub(crate) struct AllGone(pub(crate) Vec<Arc<Pending>>);

impl Cancellation for AllGone {
    fn is_cancelled(&self) -> bool {
        self.0.iter().all(|pending| pending.is_over())
    }
}
