//! Ways to run any batch: one plan with an open batch, or several with a fixed one.

use einthoven_plugin_sdk::Failure;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tract_onnx::prelude::{IntoRunnable, TVec, Tensor, TypedModel, TypedRunnableModel};
use tract_onnx::prelude::{IntoTValue, TValue};

/// Batches of the plans of a graph that does not let its batch be open. Any batch is a sum of these.
const FIXED: [usize; 2] = [32, 1];

/// A graph, ready to run.
#[derive(Clone)]
pub(crate) enum Plans {
    /// Any batch at once.
    Open(Arc<TypedRunnableModel>),
    /// Batches of these sizes, largest first.
    Fixed(Vec<(usize, Arc<TypedRunnableModel>)>),
}

impl Plans {
    /// One plan for a graph whose batch is open, or that has none.
    pub(crate) fn open(graph: TypedModel) -> Result<Self, String> {
        let plan = guarded(|| graph.into_runnable().map_err(|cause| format!("{cause:#}")))?;
        Ok(Self::Open(plan))
    }

    /// Plans of fixed sizes; `graph` makes the graph of one.
    pub(crate) fn fixed(graph: impl Fn(usize) -> Result<TypedModel, String>) -> Result<Self, String> {
        let plan = |size| {
            let graph = graph(size)?;
            let plan = guarded(|| graph.into_runnable().map_err(|cause| format!("{cause:#}")))?;
            Ok((size, plan))
        };
        Ok(Self::Fixed(FIXED.into_iter().map(plan).collect::<Result<_, String>>()?))
    }

    /// Runs zeros once, since some operators find only then that they cannot work with an open batch.
    pub(crate) fn try_zeros(&self, zeros: impl Fn(usize) -> Result<Vec<Tensor>, Failure>) -> Result<(), String> {
        guarded(|| {
            for rows in [2, 1] {
                let inputs = zeros(rows).map_err(|failure| failure.to_string())?;
                self.run(inputs, rows).map_err(|failure| failure.to_string())?;
            }
            Ok(())
        })
    }
}

impl Plans {
    /// Runs `rows` rows; each output comes in pieces, one after the other along its first dimension.
    ///
    /// The state of a run is made anew every time: recurrent operators keep in it what they remember, and the next batch is
    /// another recording.
    pub(crate) fn run(&self, inputs: Vec<Tensor>, rows: usize) -> Result<Vec<TVec<TValue>>, Failure> {
        let plans = match self {
            Self::Open(plan) => {
                let inputs = inputs.into_iter().map(IntoTValue::into_tvalue).collect();
                return Ok(vec![plan.run(inputs).map_err(Failure::internal)?]);
            }
            Self::Fixed(plans) => plans,
        };
        let mut pieces = Vec::new();
        let mut start = 0;
        while start < rows {
            let Some((size, plan)) = plans.iter().find(|(size, _)| *size <= rows - start) else {
                return Err(Failure::internal("no plan is small enough"));
            };
            let piece = |input: &Tensor| {
                let piece = input.slice(0, start, start + size).map_err(Failure::internal)?;
                Ok(piece.into_tvalue())
            };
            let inputs = inputs.iter().map(piece).collect::<Result<TVec<_>, Failure>>()?;
            pieces.push(plan.run(inputs).map_err(Failure::internal)?);
            start += size;
        }
        Ok(pieces)
    }
}

/// Runs work on a graph that may come from anywhere: where tract panics, the sentence is the reason.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(said(panic.as_ref())))
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("tract panicked")
        .to_owned()
}
