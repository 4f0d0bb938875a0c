//! A session on the processor that all instances of a model run on: one copy of the weights, and one arena.

use einthoven_plugin_sdk::{Failure, Signature};
use ort::AsPointer;
use ort::session::{NoSelectedOutputs, RunOptions, Session, SessionInputValue};
use ort::value::DynValue;
use std::ffi::{CString, c_char};
use std::ptr::{self, NonNull};
use std::sync::Arc;

/// One instance's hold on the session.
pub(crate) struct Shared {
    session: Arc<Session>,
    inputs: Vec<CString>,
    outputs: Vec<CString>,
}

impl Shared {
    pub(crate) fn new(session: Arc<Session>, signature: &Signature) -> Result<Self, Failure> {
        let names = |specs: &[einthoven_plugin_sdk::TensorSpec]| {
            let name = |spec: &einthoven_plugin_sdk::TensorSpec| CString::new(spec.name.as_str());
            specs.iter().map(name).collect::<Result<_, _>>()
        };
        let unfit = |_| Failure::invalid("the name of a tensor holds a zero byte");
        Ok(Self {
            session,
            inputs: names(&signature.inputs).map_err(unfit)?,
            outputs: names(&signature.outputs).map_err(unfit)?,
        })
    }

    /// Runs a batch, beside others that run on the same session: the inputs and the outputs in the signature's order.
    pub(crate) fn run(
        &self,
        inputs: &[SessionInputValue<'_>],
        options: &RunOptions<NoSelectedOutputs>,
    ) -> ort::Result<Vec<DynValue>> {
        if inputs.len() != self.inputs.len() {
            return Err(ort::Error::new("there must be a value for every input"));
        }
        let pointers = |names: &[CString]| names.iter().map(|name| name.as_ptr()).collect::<Vec<*const c_char>>();
        let (input_names, output_names) = (pointers(&self.inputs), pointers(&self.outputs));
        let values: Vec<_> = inputs.iter().map(|value| value.ptr()).collect();
        let mut given = vec![ptr::null_mut(); output_names.len()];
        // SAFETY: names, values and places for outputs are as many as is said, and live during the call. The session lives.
        // ONNX Runtime lets `Run` be called on one session by several threads at once, and on the processor its parts keep to
        // that: what a run changes is its own, the arena has a lock. Values are not shared between calls.
        let ran = unsafe {
            ort::Error::result_from_status((ort::api().Run)(
                self.session.ptr().cast_mut(),
                options.ptr(),
                input_names.as_ptr(),
                values.as_ptr(),
                values.len(),
                output_names.as_ptr(),
                output_names.len(),
                given.as_mut_ptr(),
            ))
        };
        // Owned before anything else may fail.
        let given: Vec<_> = given
            .into_iter()
            .filter_map(NonNull::new)
            // SAFETY: a value of this session that nobody else has; dropping it frees it.
            .map(|value| unsafe { DynValue::from_ptr(value, Some(self.session.allocator())) })
            .collect();
        ran?;
        if given.len() != output_names.len() {
            return Err(ort::Error::new("an output did not come"));
        }
        Ok(given)
    }
}
