//! Inputs with the outputs they gave when the model was made: the proof that an engine computes this model.

use super::numbers::{from_bytes, to_bytes};
use bytes::Bytes;
use einthoven_dispatch::Tensor;
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
#[serde(from = "GoldenText")]
struct GoldenTensor {
    dims: Vec<usize>,
    dtype: DType,
    data: Bytes,
}

/// As it stands in the file: floats, unless it says otherwise; truth values as 0 and 1.
#[derive(Deserialize)]
struct GoldenText {
    dims: Vec<usize>,
    #[serde(default = "floats")]
    dtype: DType,
    values: Vec<f64>,
}

fn floats() -> DType {
    DType::F32
}

impl From<GoldenText> for GoldenTensor {
    fn from(text: GoldenText) -> Self {
        Self {
            dims: text.dims,
            dtype: text.dtype,
            data: to_bytes(text.dtype, &text.values).into(),
        }
    }
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
            .map(|(name, tensor)| TensorView::new(name, tensor.dtype, &tensor.dims, &tensor.data))
            .collect()
    }

    /// The same as a queue takes them.
    pub(crate) fn tensors(&self) -> Vec<Tensor> {
        let each = self.inputs.iter().map(|(name, tensor)| Tensor {
            name: name.as_str().into(),
            dtype: tensor.dtype,
            dims: tensor.dims.clone(),
            data: tensor.data.clone(),
        });
        each.collect()
    }

    /// As many rows as asked for, made by repeating those there are.
    pub(crate) fn repeated(&self, rows: usize) -> Result<Self, Failure> {
        let repeat = |(name, tensor): (&String, &GoldenTensor)| {
            let have = tensor.dims.first().copied().unwrap_or(0);
            if have == 0 || rows > LARGEST_BATCH || tensor.data.len() % have != 0 {
                return Err(Failure::invalid(format!(
                    "a batch of {rows} rows cannot be made of the golden input `{name}` with {have} rows; at most \
                     {LARGEST_BATCH} rows are run to warm up"
                )));
            }
            let width = tensor.data.len() / have;
            let mut dims = tensor.dims.clone();
            dims[0] = rows;
            let data: Vec<u8> = tensor.data.iter().copied().cycle().take(rows * width).collect();
            let dtype = tensor.dtype;
            let data = data.into();
            Ok((name.clone(), GoldenTensor { dims, dtype, data }))
        };
        Ok(Self {
            inputs: self.inputs.iter().map(repeat).collect::<Result<_, _>>()?,
            outputs: BTreeMap::new(),
        })
    }

    /// The largest difference of the outputs a manifest names.
    pub(crate) fn difference(&self, outputs: &Outputs, specs: &[TensorSpec]) -> Result<Difference, Failure> {
        let mut worst = Worst::default();
        for spec in specs {
            let got = outputs.get(&spec.name)?;
            worst.compare(self.output(spec)?, got.dtype, got.bytes());
        }
        Ok(worst.0)
    }

    /// The same for outputs that came from a queue.
    pub(crate) fn difference_of(&self, outputs: &[Tensor], specs: &[TensorSpec]) -> Result<Difference, Failure> {
        let mut worst = Worst::default();
        for spec in specs {
            let got = outputs.iter().find(|output| *output.name == *spec.name);
            let got = got.ok_or_else(|| Failure::invalid(format!("the model gave no output `{}`", spec.name)))?;
            worst.compare(self.output(spec)?, got.dtype, &got.data);
        }
        Ok(worst.0)
    }

    fn output(&self, spec: &TensorSpec) -> Result<&GoldenTensor, Failure> {
        let missing = || Failure::invalid(format!("`golden.json` has no output `{}`", spec.name));
        self.outputs.get(&spec.name).ok_or_else(missing)
    }
}

struct Worst(Difference);

impl Default for Worst {
    fn default() -> Self {
        Self(Difference { row: 0, largest: 0.0 })
    }
}

impl Worst {
    fn compare(&mut self, golden: &GoldenTensor, dtype: DType, got: &[u8]) {
        if got.len() != golden.data.len() || dtype != golden.dtype {
            self.0.largest = f32::INFINITY;
            return;
        }
        let expected = from_bytes(dtype, &golden.data);
        let rows = golden.dims.first().copied().unwrap_or(1).max(1);
        let width = (expected.len() / rows).max(1);
        for (index, (got, expected)) in from_bytes(dtype, got).iter().zip(&expected).enumerate() {
            // What is infinite on purpose, as in a mask, is the same.
            let difference = if got == expected {
                0.0
            } else {
                (got - expected).abs() as f32
            };
            let difference = if difference.is_nan() { f32::INFINITY } else { difference };
            if difference > self.0.largest {
                self.0 = Difference {
                    row: index / width,
                    largest: difference,
                };
            }
        }
    }
}
