//! Inputs with the outputs they gave when the model was made: the proof that an engine computes this model.

use einthoven_plugin_host::{DType, Failure, Outputs, TensorSpec, TensorView};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Rows of the largest batch that is run to warm up.
const LARGEST_BATCH: usize = 4096;

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

    /// As many rows as asked for, made by repeating those there are.
    pub(crate) fn repeated(&self, rows: usize) -> Result<Self, Failure> {
        let repeat = |(name, tensor): (&String, &GoldenTensor)| {
            let have = tensor.dims.first().copied().unwrap_or(0);
            if have == 0 || rows > LARGEST_BATCH || tensor.values.len() % have != 0 {
                return Err(Failure::invalid(format!(
                    "a batch of {rows} rows cannot be made of the golden input `{name}` with {have} rows; at most \
                     {LARGEST_BATCH} rows are run to warm up"
                )));
            }
            let width = tensor.values.len() / have;
            let mut dims = tensor.dims.clone();
            dims[0] = rows;
            let values = tensor.values.iter().copied().cycle().take(rows * width).collect();
            Ok((name.clone(), GoldenTensor { dims, values }))
        };
        Ok(Self {
            inputs: self.inputs.iter().map(repeat).collect::<Result<_, _>>()?,
            outputs: BTreeMap::new(),
        })
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
