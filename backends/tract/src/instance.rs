//! Running a batch on a plan.

use crate::convert::{from_tract, tensor};
use einthoven_plugin_sdk::{Call, Code, Failure, Instance, Signature, TensorView};
use std::sync::Arc;
use tract_onnx::prelude::{IntoTValue, TVec, TypedRunnableModel, TypedSimpleState};

/// One state of a plan: the scratch memory that two batches at once could not share.
pub(crate) struct TractInstance {
    state: TypedSimpleState,
    signature: Signature,
}

impl TractInstance {
    pub(crate) fn new(plan: Arc<TypedRunnableModel>, signature: Signature) -> Result<Self, Failure> {
        Ok(Self {
            state: plan.spawn().map_err(Failure::internal)?,
            signature,
        })
    }
}

impl Instance for TractInstance {
    fn execute(&mut self, inputs: &[TensorView<'_>], call: &mut dyn Call) -> Result<(), Failure> {
        let mut ordered = TVec::new();
        for spec in &self.signature.inputs {
            let view = inputs
                .iter()
                .find(|view| view.name() == spec.name)
                .ok_or_else(|| Failure::new(Code::InvalidArgument, format!("input `{}` is missing", spec.name)))?;
            let fits = view.dtype() == spec.dtype
                && view.dims().len() == spec.dims.len()
                && view
                    .dims()
                    .iter()
                    .zip(&spec.dims)
                    .all(|(have, want)| want.is_none_or(|want| want == *have));
            if !fits {
                let text = format!(
                    "input `{}` is {} {:?}, the model wants {} {:?}",
                    spec.name,
                    view.dtype(),
                    view.dims(),
                    spec.dtype,
                    spec.dims
                );
                return Err(Failure::new(Code::InvalidArgument, text));
            }
            ordered.push(tensor(view)?.into_tvalue());
        }
        let results = self.state.run(ordered).map_err(Failure::internal)?;
        for (spec, result) in self.signature.outputs.iter().zip(results) {
            let dtype = from_tract(&spec.name, result.datum_type())?;
            call.output(&spec.name, dtype, result.shape())?
                .copy_from_slice(result.as_bytes());
        }
        Ok(())
    }
}
