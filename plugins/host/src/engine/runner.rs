//! One instance, and the checks around every batch it runs.

use super::call;
use super::functions::Functions;
use super::model::ModelHandle;
use super::outputs::Outputs;
use einthoven_plugin_abi::view;
use einthoven_plugin_sdk::{Code, Failure, Signature, TensorView};
use std::ffi::c_void;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Something that says when everybody who waited for a batch has gone. Engines ask often, so it must answer at once.
pub trait Cancellation: fmt::Debug + Send + Sync {
    /// Whether the batch is of no use any more; once it is, it stays so.
    fn is_cancelled(&self) -> bool;
}

impl Cancellation for AtomicBool {
    fn is_cancelled(&self) -> bool {
        self.load(Ordering::Relaxed)
    }
}

/// When a batch is of no use any more.
#[derive(Debug, Clone, Default)]
pub struct Until {
    /// Nobody waits after this.
    pub deadline: Option<Instant>,
    /// Says when everybody who waited has gone.
    pub cancelled: Option<Arc<dyn Cancellation>>,
}

/// One loaded copy of a model on one device.
pub struct Runner {
    api: Functions,
    instance: *mut c_void,
    provider: String,
    poisoned: bool,
    signature: Arc<Signature>,
    // Held so that the model outlives its instances.
    model: Arc<ModelHandle>,
}

// SAFETY: the contract lets an instance be called from any thread, one at a time; `&mut self` sees to the latter.
unsafe impl Send for Runner {}

impl Drop for Runner {
    fn drop(&mut self) {
        // SAFETY: made by this engine and not released before; the model it came from is still held.
        unsafe { (self.api.release)(self.instance) };
    }
}

impl Runner {
    /// # Safety
    /// `instance` was just made by these functions from this model.
    pub(super) unsafe fn new(
        api: Functions,
        instance: *mut c_void,
        model: Arc<ModelHandle>,
        signature: Arc<Signature>,
    ) -> Self {
        // SAFETY: the instance lives; the text does until it is released, and is copied.
        let provider = unsafe { view::borrow((api.provider)(instance)) }
            .unwrap_or("")
            .to_owned();
        Self {
            api,
            instance,
            provider,
            poisoned: false,
            signature,
            model,
        }
    }

    /// What really computes, in the engine's words: `cpu`, `CUDAExecutionProvider`.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// False after a fault that leaves the instance in an unknown state: drop it and make another.
    #[must_use]
    pub fn usable(&self) -> bool {
        !self.poisoned
    }

    /// Runs one batch.
    ///
    /// # Errors
    /// `InvalidArgument` when an input is missing or is not what the signature says, or when the inputs' first dimensions
    /// differ; `Cancelled` or `DeadlineExceeded` when it is too late to start; otherwise the engine's own failure, and
    /// `Internal` when the engine reports success without the outputs of its signature.
    pub fn run(&mut self, inputs: &[TensorView<'_>], until: &Until) -> Result<Outputs, Failure> {
        for spec in &self.signature.inputs {
            spec.pick(inputs)?;
        }
        let rows = rows(inputs)?;
        if until.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            let text = "the deadline passed before the batch started";
            return Err(Failure::new(Code::DeadlineExceeded, text));
        }
        if self.poisoned {
            let text = format!(
                "the instance on engine `{}` failed before and is not used again",
                self.model.engine().name()
            );
            return Err(Failure::new(Code::Unavailable, text));
        }
        // SAFETY: the instance lives and is ours alone for the call.
        let outputs = unsafe { call::execute(self.api.execute, self.instance, inputs, until) };
        if let Err(failure) = &outputs {
            self.poisoned = failure.code == Code::Poisoned;
        }
        let outputs = outputs?;
        outputs.fit(&self.signature.outputs, rows)?;
        Ok(outputs)
    }
}

/// The batch: the first dimension, which all inputs share.
fn rows(inputs: &[TensorView<'_>]) -> Result<Option<usize>, Failure> {
    let mut rows = inputs.iter().map(|input| input.dims().first().copied());
    let first = rows.next().flatten();
    if rows.any(|other| other != first) {
        return Err(Failure::invalid(
            "the inputs differ in their first dimension, the batch",
        ));
    }
    Ok(first)
}
