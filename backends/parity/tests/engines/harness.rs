//! What a model does on an engine, found out as the product does with anything newly brought in: in a child.

use einthoven_backend_parity::{Package, Reference, Tensor, open};
use einthoven_plugin_host::{Code, Device, Failure, TensorView};
use einthoven_plugin_worker::{Limits, LoadRequest, Spawner, trial};
use std::path::Path;
use std::time::Duration;

/// What became of one model on one engine.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// All answers within the tolerance; the largest difference.
    Agrees(f64),
    /// An answer that is none; the largest difference, infinite where it has no number.
    Differs(f64),
    /// Refused, when it was loaded or at its first run.
    Refused(String),
    /// The child died of it or had to be killed.
    Died(String),
}

/// Fails with what to run where an engine is not there.
pub(crate) fn ready(engine: &str) {
    open(engine).unwrap();
}

/// Loads a package on an engine and compares all its answers. `directory` is where its files lie, for engines that read
/// paths.
pub(crate) fn attempt(engine: &str, package: &Package, reference: &Reference, directory: &Path) -> Outcome {
    let spawner = Spawner {
        program: env!("CARGO_BIN_EXE_parity-worker").into(),
        limits: Limits {
            load: Duration::from_secs(20),
            batch: Duration::from_secs(10),
            ..Limits::default()
        },
        ..Spawner::default()
    };
    let request = LoadRequest {
        engine: engine.to_owned(),
        config: serde_json::json!({}),
        device: Device::Cpu,
        entry: package.entry.clone(),
        files: package.files.clone(),
        directory: Some(directory.to_owned()),
    };
    match worst(&spawner, &request, reference) {
        Ok(worst) if worst <= reference.tolerance => Outcome::Agrees(worst),
        Ok(worst) => Outcome::Differs(worst),
        Err(failure) if died(&failure) => Outcome::Died(failure.message),
        Err(failure) => Outcome::Refused(failure.message),
    }
}

fn died(failure: &Failure) -> bool {
    matches!(failure.code, Code::Unavailable | Code::DeadlineExceeded)
        && failure.message.starts_with("the worker process")
}

/// The largest difference over all batches and outputs.
fn worst(spawner: &Spawner, request: &LoadRequest, reference: &Reference) -> Result<f64, Failure> {
    let mut worst: f64 = 0.0;
    for run in &reference.runs {
        let inputs: Vec<TensorView<'_>> = run.inputs.iter().map(|(name, tensor)| tensor.view(name)).collect();
        let outputs = trial(spawner, request, &inputs, &[])?.outputs;
        if let Some((_, failure)) = outputs.failed().first() {
            return Err(failure.clone());
        }
        for (name, wanted) in &run.outputs {
            let Ok(given) = outputs.get(name) else {
                return Ok(f64::INFINITY);
            };
            let given = Tensor {
                dtype: given.dtype,
                dims: given.dims.clone(),
                bytes: given.bytes().to_vec(),
            };
            worst = worst.max(given.difference(wanted));
        }
    }
    Ok(worst)
}
