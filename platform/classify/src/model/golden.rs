//! Inputs with the outputs they gave when the model was made: the proof that an engine computes this model.

use einthoven_plugin_host::{DType, Failure, Outputs, TensorSpec, TensorView};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A package's `golden.json`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Golden {
    inputs: BTreeMap<String, GoldenTensor>,
    outputs: BTreeMap<String, GoldenTensor>,
}

/// Row-major; the first of `dims` is the batch.
#[derive(Debug, Clone, Deserialize)]
struct GoldenTensor {
    dims: Vec<usize>,
    values: Vec<f32>,
}

/// How far outputs are from golden ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Difference {
    /// Row with the largest.
    pub(crate) row: usize,
    /// Largest absolute difference; infinite where a value is missing or no number.
    pub(crate) largest: f32,
}

impl Golden {
    /// The inputs, as a batch.
    pub(crate) fn inputs(&self) -> Result<Vec<TensorView<'_>>, Failure> {
        self.inputs
            .iter()
            .map(|(name, tensor)| TensorView::new(name, DType::F32, &tensor.dims, bytemuck::cast_slice(&tensor.values)))
            .collect()
    }

    /// The largest difference of the outputs a manifest names.
    pub(crate) fn difference(&self, outputs: &Outputs, specs: &[TensorSpec]) -> Result<Difference, Failure> {
        let mut worst = Difference { row: 0, largest: 0.0 };
        for spec in specs {
            let got = outputs.get(&spec.name)?.as_f32()?;
            let missing = || Failure::invalid(format!("`golden.json` has no output `{}`", spec.name));
            let golden = self.outputs.get(&spec.name).ok_or_else(missing)?;
            if got.len() != golden.values.len() {
                return Ok(Difference {
                    row: 0,
                    largest: f32::INFINITY,
                });
            }
            let rows = golden.dims.first().copied().unwrap_or(1).max(1);
            let width = (golden.values.len() / rows).max(1);
            for (index, (got, expected)) in got.iter().zip(&golden.values).enumerate() {
                let difference = (got - expected).abs();
                let difference = if difference.is_nan() { f32::INFINITY } else { difference };
                if difference > worst.largest {
                    worst = Difference {
                        row: index / width,
                        largest: difference,
                    };
                }
            }
        }
        Ok(worst)
    }
}
