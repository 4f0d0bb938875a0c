//! Running a batch on a plan.

use crate::convert::{from_tract, tensor};
use crate::plans::Plans;
use einthoven_plugin_sdk::{Call, Failure, Instance, Signature, TensorView};

/// The plans, shared with all other instances: nothing is kept between batches.
pub(crate) struct TractInstance {
    plans: Plans,
    signature: Signature,
}

impl TractInstance {
    pub(crate) fn new(plans: Plans, signature: Signature) -> Self {
        Self { plans, signature }
    }
}

impl Instance for TractInstance {
    fn execute(&mut self, inputs: &[TensorView<'_>], call: &mut dyn Call) -> Result<(), Failure> {
        let mut ordered = Vec::with_capacity(inputs.len());
        for spec in &self.signature.inputs {
            ordered.push(tensor(spec.pick(inputs)?)?);
        }
        let rows = inputs
            .first()
            .and_then(|input| input.dims().first().copied())
            .unwrap_or(0);
        let pieces = self.plans.run(ordered, rows)?;
        for (index, spec) in self.signature.outputs.iter().enumerate() {
            let Some(first) = pieces.first().map(|piece| &piece[index]) else {
                // No rows, so no piece: the shape is the signature's.
                let dims: Vec<_> = spec.dims.iter().map(|dim| dim.unwrap_or(0)).collect();
                call.output(&spec.name, spec.dtype, &dims)?;
                continue;
            };
            let dtype = from_tract(&spec.name, first.datum_type())?;
            let mut dims = first.shape().to_vec();
            if pieces.len() > 1 {
                dims[0] = pieces.iter().map(|piece| piece[index].shape()[0]).sum();
            }
            let mut buffer = call.output(&spec.name, dtype, &dims)?;
            for piece in &pieces {
                let (filled, rest) = buffer.split_at_mut(piece[index].as_bytes().len());
                filled.copy_from_slice(piece[index].as_bytes());
                buffer = rest;
            }
        }
        Ok(())
    }
}
