//! Running batches.

use crate::probe::Batching;
use crate::session::Session;
use einthoven_plugin_sdk::{Call, Code, Failure, Instance, Signature, TensorView};
use std::sync::Arc;

/// One compiled model; nothing of it is shared with others but the file's bytes.
pub(crate) struct LiteRtInstance {
    session: Session,
    signature: Arc<Signature>,
    batching: Batching,
}

impl LiteRtInstance {
    pub(crate) fn new(session: Session, signature: Arc<Signature>, batching: Batching) -> Self {
        Self {
            session,
            signature,
            batching,
        }
    }

    fn whole(&mut self, views: &[&TensorView<'_>], call: &mut dyn Call) -> Result<(), Failure> {
        self.session.shape(views.iter().map(|view| view.dims()))?;
        for (index, view) in views.iter().enumerate() {
            self.session.input(index).copy_from_slice(view.bytes());
        }
        self.session.run()?;
        for (index, spec) in self.signature.outputs.iter().enumerate() {
            let (dims, bytes) = self.session.output(index);
            call.output(&spec.name, spec.dtype, dims)?.copy_from_slice(bytes);
        }
        Ok(())
    }

    fn rows(&mut self, views: &[&TensorView<'_>], batch: usize, call: &mut dyn Call) -> Result<(), Failure> {
        let shapes: Vec<Vec<usize>> = views
            .iter()
            .map(|view| std::iter::once(1).chain(view.dims()[1..].iter().copied()).collect())
            .collect();
        self.session.shape(shapes.iter().map(Vec::as_slice))?;
        let mut answers: Vec<Vec<u8>> = vec![Vec::new(); self.signature.outputs.len()];
        for row in 0..batch {
            if call.cancelled() {
                return Err(Failure::new(
                    Code::Cancelled,
                    format!("cancelled after {row} of {batch} rows"),
                ));
            }
            for (index, view) in views.iter().enumerate() {
                let input = self.session.input(index);
                let start = row * input.len();
                input.copy_from_slice(&view.bytes()[start..start + input.len()]);
            }
            self.session.run()?;
            for (index, answer) in answers.iter_mut().enumerate() {
                answer.extend_from_slice(self.session.output(index).1);
            }
        }
        for (index, (spec, answer)) in self.signature.outputs.iter().zip(&answers).enumerate() {
            let mut dims = self.session.output(index).0.to_vec();
            dims[0] = batch;
            call.output(&spec.name, spec.dtype, &dims)?.copy_from_slice(answer);
        }
        Ok(())
    }

    /// No rows in, no rows out; LiteRT itself refuses dimensions of zero.
    fn nothing(&self, call: &mut dyn Call) -> Result<(), Failure> {
        for spec in &self.signature.outputs {
            let mut dims = Vec::with_capacity(spec.dims.len());
            for (index, dim) in spec.dims.iter().enumerate() {
                match dim {
                    None if index == 0 => dims.push(0),
                    Some(dim) if index > 0 => dims.push(*dim),
                    _ => {
                        return Err(Failure::invalid(format!(
                            "the batch is empty, and output `{}` has no shape without rows",
                            spec.name
                        )));
                    }
                }
            }
            call.output(&spec.name, spec.dtype, &dims)?;
        }
        Ok(())
    }
}

impl Instance for LiteRtInstance {
    fn provider(&self) -> String {
        "XNNPACK on cpu".to_owned()
    }

    fn execute(&mut self, inputs: &[TensorView<'_>], call: &mut dyn Call) -> Result<(), Failure> {
        let signature = Arc::clone(&self.signature);
        let views = signature
            .inputs
            .iter()
            .map(|spec| spec.pick(inputs))
            .collect::<Result<Vec<_>, _>>()?;
        let batch = views[0].dims().first().copied();
        let open = |spec: &einthoven_plugin_sdk::TensorSpec| spec.dims.first() == Some(&None);
        if let Some((spec, _)) = signature
            .inputs
            .iter()
            .zip(&views)
            .find(|(spec, view)| open(spec) && view.dims().first().copied() != batch)
        {
            return Err(Failure::invalid(format!(
                "input `{}` has another number of rows than `{}`",
                spec.name, signature.inputs[0].name
            )));
        }
        match (self.batching, batch) {
            (_, Some(0)) => self.nothing(call),
            (Batching::Rows, Some(batch)) => self.rows(&views, batch, call),
            _ => self.whole(&views, call),
        }
    }
}
