//! Inputs with the answers they must get, and how far an answer is from them.

use einthoven_plugin_host::{DType, TensorView};
use half::f16;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Dense values of one element type, row-major and little-endian.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Element type.
    pub dtype: DType,
    /// Dimensions.
    pub dims: Vec<usize>,
    /// The elements' bytes.
    pub bytes: Vec<u8>,
}

impl Tensor {
    /// From numbers, rounded to the element type.
    #[must_use]
    pub fn from_values(dtype: DType, dims: Vec<usize>, values: &[f64]) -> Self {
        let bytes = values.iter().flat_map(|&value| encoded(dtype, value)).collect();
        Self { dtype, dims, bytes }
    }

    /// The elements as numbers; booleans are 0 and 1.
    #[must_use]
    pub fn values(&self) -> Vec<f64> {
        self.bytes
            .chunks_exact(self.dtype.size())
            .map(|bytes| decoded(self.dtype, bytes))
            .collect()
    }

    /// As an engine is given it.
    #[must_use]
    pub fn view<'a>(&'a self, name: &'a str) -> TensorView<'a> {
        TensorView::new(name, self.dtype, &self.dims, &self.bytes).unwrap()
    }

    /// The largest absolute difference to another tensor: infinite where types, shapes or finiteness differ.
    #[must_use]
    pub fn difference(&self, other: &Self) -> f64 {
        if self.dtype != other.dtype || self.dims != other.dims {
            return f64::INFINITY;
        }
        let pairs = self.values().into_iter().zip(other.values());
        pairs.fold(0.0, |worst: f64, (a, b)| {
            let apart = if a == b { 0.0 } else { (a - b).abs() };
            worst.max(if apart.is_nan() { f64::INFINITY } else { apart })
        })
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the files hold values of the type they name"
)]
fn encoded(dtype: DType, value: f64) -> Vec<u8> {
    match dtype {
        DType::F32 => (value as f32).to_le_bytes().to_vec(),
        DType::F16 => f16::from_f64(value).to_le_bytes().to_vec(),
        DType::I64 => (value as i64).to_le_bytes().to_vec(),
        DType::I8 => (value as i8).to_le_bytes().to_vec(),
        DType::U8 => vec![value as u8],
        DType::Bool => vec![u8::from(value != 0.0)],
    }
}

#[allow(clippy::cast_precision_loss, reason = "integers in the files are small")]
fn decoded(dtype: DType, bytes: &[u8]) -> f64 {
    match dtype {
        DType::F32 => f32::from_le_bytes(bytes.try_into().unwrap()).into(),
        DType::F16 => f16::from_le_bytes(bytes.try_into().unwrap()).into(),
        DType::I64 => i64::from_le_bytes(bytes.try_into().unwrap()) as f64,
        DType::I8 => i8::from_le_bytes(bytes.try_into().unwrap()).into(),
        DType::U8 | DType::Bool => bytes[0].into(),
    }
}

/// One batch and its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// By name.
    pub inputs: BTreeMap<String, Tensor>,
    /// By name.
    pub outputs: BTreeMap<String, Tensor>,
}

/// What a model must answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// Batches of different sizes, where the model takes them.
    pub runs: Vec<Run>,
    /// Largest absolute difference allowed.
    pub tolerance: f64,
}

impl Reference {
    /// Reads a model's `golden.json`, whose tensors are `f32` where they do not say otherwise.
    #[must_use]
    pub fn from_golden(text: &str) -> Self {
        let golden: GoldenJson = serde_json::from_str(text).unwrap();
        Self {
            tolerance: golden.tolerance,
            runs: vec![golden.run.into()],
        }
    }
}

#[derive(Deserialize)]
struct GoldenJson {
    #[serde(flatten)]
    run: RunJson,
    tolerance: f64,
}

/// A run as the files hold it.
#[derive(Deserialize)]
pub(crate) struct RunJson {
    inputs: BTreeMap<String, TensorJson>,
    outputs: BTreeMap<String, TensorJson>,
}

impl From<RunJson> for Run {
    fn from(json: RunJson) -> Self {
        let tensors = |side: BTreeMap<String, TensorJson>| {
            side.into_iter()
                .map(|(name, tensor)| (name, tensor.into_tensor()))
                .collect()
        };
        Self {
            inputs: tensors(json.inputs),
            outputs: tensors(json.outputs),
        }
    }
}

#[derive(Deserialize)]
struct TensorJson {
    dtype: Option<DType>,
    dims: Vec<usize>,
    values: Vec<Number>,
}

impl TensorJson {
    fn into_tensor(self) -> Tensor {
        let values: Vec<f64> = self
            .values
            .iter()
            .map(|number| match *number {
                Number::Truth(truth) => f64::from(u8::from(truth)),
                Number::Value(value) => value,
            })
            .collect();
        Tensor::from_values(self.dtype.unwrap_or(DType::F32), self.dims, &values)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Truth(bool),
    Value(f64),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_their_type_and_differences_see_what_is_not_finite() {
        for (dtype, values) in [
            (DType::F16, [-1.5, 0.0]),
            (DType::I64, [-7.0, 9.0]),
            (DType::I8, [-7.0, 9.0]),
            (DType::Bool, [1.0, 0.0]),
        ] {
            assert_eq!(Tensor::from_values(dtype, vec![2], &values).values(), values);
        }
        let one = Tensor::from_values(DType::F32, vec![2], &[1.0, 2.0]);
        let other = Tensor::from_values(DType::F32, vec![2], &[1.25, 2.0]);
        let bad = Tensor::from_values(DType::F32, vec![2], &[f64::NAN, 2.0]);
        assert!((one.difference(&other) - 0.25).abs() < 1e-9);
        assert!(one.difference(&bad).is_infinite());
        assert!(
            one.difference(&Tensor::from_values(DType::F32, vec![1, 2], &[1.0, 2.0]))
                .is_infinite()
        );
    }
}
