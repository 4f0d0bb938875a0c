//! One instance, and the checks around every batch it runs.

use crate::outputs::Outputs;
use einthoven_plugin_sdk::{Code, Device, Failure, Instance, TensorView};
use std::time::Instant;

/// One loaded copy of a model on one device.
pub struct Runner {
    instance: Box<dyn Instance>,
    device: Device,
}

impl Runner {
    pub(crate) fn new(instance: Box<dyn Instance>, device: Device) -> Self {
        Self { instance, device }
    }

    /// Where it runs.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Runs one batch.
    ///
    /// # Errors
    /// `InvalidArgument` when the inputs' first dimensions differ, `DeadlineExceeded` when it is too late to start,
    /// otherwise the engine's own failure.
    pub fn run(&mut self, inputs: &[TensorView<'_>], deadline: Option<Instant>) -> Result<Outputs, Failure> {
        let mut rows = inputs.iter().map(|input| input.dims().first().copied());
        let first = rows.next().flatten();
        if rows.any(|other| other != first) {
            return Err(Failure::new(
                Code::InvalidArgument,
                "the inputs differ in their first dimension, the batch",
            ));
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Failure::new(
                Code::DeadlineExceeded,
                "the deadline passed before the batch started",
            ));
        }
        let mut outputs = Outputs::until(deadline);
        self.instance.execute(inputs, &mut outputs)?;
        Ok(outputs)
    }
}
