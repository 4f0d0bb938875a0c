//! Running a batch: everybody gets the own rows; where it fails as a whole, halves are run until only the guilty fail, and
//! where it took its process with it, each call by itself.

use crate::assemble::{assemble, cut, whole};
use crate::call::DispatchError;
use crate::meters::RunTimes;
use crate::pending::{AllGone, Pending, Ran};
use crate::queue::{Batch, Queue};
use crate::schedule::Piece;
use crate::thread::Own;
use einthoven_plugin_host::{Code, Failure, Outputs, TensorView, Until};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long after a batch lost its process its calls are tried by themselves.
const ALONE_WITHIN: Duration = Duration::from_secs(4);

type Pieces = [Piece<Arc<Pending>>];

/// Runs a batch and answers its calls.
pub(crate) fn run(queue: &Arc<Queue>, own: &mut Own, batch: &Batch) {
    attempt(queue, own, &batch.pieces);
}

fn attempt(queue: &Arc<Queue>, own: &mut Own, pieces: &Pieces) {
    let now = Instant::now();
    let late = |piece: &Piece<Arc<Pending>>| piece.payload.deadline.is_some_and(|deadline| deadline <= now);
    for piece in pieces.iter().filter(|piece| late(piece)) {
        piece.payload.fail(DispatchError::Expired, &queue.meters);
    }
    // Nearly always all of them.
    let wanted: Vec<_>;
    let pieces = if pieces.iter().any(|piece| piece.payload.is_over()) {
        wanted = pieces
            .iter()
            .filter(|piece| !piece.payload.is_over())
            .cloned()
            .collect();
        &wanted
    } else {
        pieces
    };
    if pieces.is_empty() {
        return;
    }
    if let Err(failure) = own.ready(queue) {
        return tell(queue, pieces, &failure);
    }
    let Err(failure) = execute(queue, own, pieces) else {
        return;
    };
    if pieces.len() < 2 || same_call(pieces) {
        return tell(queue, pieces, &failure);
    }
    match failure.code {
        // Of no use to anybody any more.
        Code::Cancelled | Code::DeadlineExceeded => tell(queue, pieces, &failure),
        // A child that died. Halves would cost a death each, and every death brings the model nearer to quarantine.
        Code::Unavailable => {
            let end = Instant::now() + ALONE_WITHIN;
            for piece in pieces {
                let piece = std::slice::from_ref(piece);
                if Instant::now() < end {
                    attempt(queue, own, piece);
                } else {
                    tell(queue, piece, &failure);
                }
            }
        }
        _ => {
            let (left, right) = pieces.split_at(pieces.len() / 2);
            attempt(queue, own, left);
            attempt(queue, own, right);
        }
    }
}

fn tell(queue: &Arc<Queue>, pieces: &Pieces, failure: &Failure) {
    for piece in pieces {
        piece.payload.fail(told(failure, &piece.payload), &queue.meters);
    }
}

fn same_call(pieces: &Pieces) -> bool {
    pieces.windows(2).all(|pair| pair[0].call == pair[1].call)
}

fn told(failure: &Failure, pending: &Pending) -> DispatchError {
    let late = pending.deadline.is_some_and(|deadline| deadline <= Instant::now());
    match failure.code {
        Code::DeadlineExceeded | Code::Cancelled if late => DispatchError::Expired,
        Code::InvalidArgument => DispatchError::Invalid(failure.clone()),
        _ => DispatchError::Failed(failure.clone()),
    }
}

/// Runs pieces together and answers their calls.
///
/// # Errors
/// The failure of all of them; nobody was answered then.
fn execute(queue: &Arc<Queue>, own: &mut Own, pieces: &Pieces) -> Result<(), Failure> {
    let missing = || Failure::new(Code::Unavailable, "there is no instance");
    let made = own.instance.as_mut().ok_or_else(missing)?;
    let provider = Arc::clone(&made.provider);
    let rows: usize = pieces.iter().map(|piece| piece.rows.len()).sum();
    let specs = &queue.takes.signature.inputs;
    let begun = Instant::now();
    let inputs = assemble(specs, pieces, rows, &mut own.scratch)?;
    let views = specs
        .iter()
        .zip(&inputs)
        .map(|(spec, input)| TensorView::new(&spec.name, spec.dtype, &input.dims, input.bytes))
        .collect::<Result<Vec<_>, _>>()?;
    let started = Instant::now();
    let until = until(pieces);
    let outputs = catch_unwind(AssertUnwindSafe(|| made.instance.run(&views, &until)));
    let ended = Instant::now();
    drop(views);
    drop(inputs);
    let mut times = RunTimes {
        assembling: started - begun,
        running: ended - started,
        ..RunTimes::default()
    };
    let outputs = outputs.unwrap_or_else(|_| {
        own.instance = None;
        Err(Failure::new(Code::Poisoned, "the engine panicked"))
    });
    let outputs = outputs.and_then(|outputs| {
        let cut = answerable(&outputs, pieces, rows);
        if cut.is_err() {
            queue.run_apart();
        }
        cut.map(|()| outputs)
    });
    let outputs = match outputs {
        Ok(outputs) => Arc::new(outputs),
        Err(failure) => {
            queue.meters.ran(rows, times);
            return Err(failure);
        }
    };
    queue.learn(rows, times.running);
    let ran = Ran {
        begun,
        started,
        ended,
        batch_rows: rows,
        provider,
    };
    let tensors = whole(&outputs, &mut own.scratch);
    let mut first = 0;
    for piece in pieces {
        let own_rows = first..first + piece.rows.len();
        first = own_rows.end;
        let failed = outputs.failed().iter();
        if let Some((_, failure)) = failed.clone().find(|(item, _)| own_rows.contains(item)) {
            piece.payload.fail(told(failure, &piece.payload), &queue.meters);
            continue;
        }
        let own_outputs = match pieces {
            [_] => tensors.clone(),
            _ => cut(&tensors, &own_rows),
        };
        piece.payload.add(&piece.rows, own_outputs, &ran, &queue.meters);
    }
    times.answering = ended.elapsed();
    queue.meters.ran(rows, times);
    Ok(())
}

/// Whether outputs can be cut apart by rows, where they must be.
fn answerable(outputs: &Outputs, pieces: &Pieces, rows: usize) -> Result<(), Failure> {
    let must = pieces.len() > 1 || pieces.iter().any(|piece| piece.rows.len() != piece.payload.rows);
    if !must {
        return Ok(());
    }
    match outputs.all().iter().find(|output| output.dims.first() != Some(&rows)) {
        None => Ok(()),
        Some(output) => {
            let text = format!(
                "output `{}` of a batch of {rows} rows has the shape {:?}, which cannot be shared out by rows; from now \
                 on every call runs by itself",
                output.name, output.dims
            );
            Err(Failure::internal(text))
        }
    }
}

/// The batch is of use until the last deadline of its calls, or until all have gone.
fn until(pieces: &Pieces) -> Until {
    let deadlines = pieces.iter().map(|piece| piece.payload.deadline);
    Until {
        deadline: deadlines
            .collect::<Option<Vec<_>>>()
            .and_then(|all| all.into_iter().max()),
        cancelled: Some(Arc::new(AllGone(
            pieces.iter().map(|piece| Arc::clone(&piece.payload)).collect(),
        ))),
    }
}
