//! Tensors as they cross between host and engine: dense, row-major, little-endian.

use crate::failure::{Code, Failure};
use einthoven_plugin_abi::engine;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Element type of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the types' own names")]
pub enum DType {
    F32,
    F16,
    I64,
    I8,
    U8,
    Bool,
}

impl DType {
    /// Every element type there is.
    pub const ALL: [Self; 6] = [Self::F32, Self::F16, Self::I64, Self::I8, Self::U8, Self::Bool];

    /// Bytes per element.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Self::I64 => 8,
            Self::F32 => 4,
            Self::F16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }
}

impl DType {
    /// The number that C knows it by.
    #[must_use]
    pub fn code(self) -> u32 {
        match self {
            Self::F32 => engine::EINTHOVEN_F32,
            Self::F16 => engine::EINTHOVEN_F16,
            Self::I64 => engine::EINTHOVEN_I64,
            Self::I8 => engine::EINTHOVEN_I8,
            Self::U8 => engine::EINTHOVEN_U8,
            Self::Bool => engine::EINTHOVEN_BOOL,
        }
    }

    /// The type that C knows by that number.
    #[must_use]
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|dtype| dtype.code() == code)
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::I64 => "i64",
            Self::I8 => "i8",
            Self::U8 => "u8",
            Self::Bool => "bool",
        })
    }
}

/// What a model takes or gives under one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TensorSpec {
    /// The tensor's name in the model.
    pub name: String,
    /// Element type.
    pub dtype: DType,
    /// Dimensions; `None` where any size goes (the batch, usually first).
    pub dims: Vec<Option<usize>>,
}

impl TensorSpec {
    /// Finds this input among those given and checks its type and shape.
    ///
    /// # Errors
    /// `InvalidArgument` saying which input is missing, or what it is and what the model wants.
    pub fn pick<'v, 'a>(&self, inputs: &'v [TensorView<'a>]) -> Result<&'v TensorView<'a>, Failure> {
        let Some(view) = inputs.iter().find(|view| view.name == self.name) else {
            return Err(Failure::invalid(format!("input `{}` is missing", self.name)));
        };
        let fits = view.dtype == self.dtype
            && view.dims.len() == self.dims.len()
            && view
                .dims
                .iter()
                .zip(&self.dims)
                .all(|(have, want)| want.is_none_or(|want| want == *have));
        if fits {
            return Ok(view);
        }
        Err(Failure::invalid(format!(
            "input `{}` is {} {:?}, the model wants {} {}",
            self.name,
            view.dtype,
            view.dims,
            self.dtype,
            shape(&self.dims)
        )))
    }
}

/// `[?,2,128]`: dimensions as people read them.
fn shape(dims: &[Option<usize>]) -> String {
    let dims: Vec<_> = dims
        .iter()
        .map(|dim| dim.map_or_else(|| "?".to_owned(), |size| size.to_string()))
        .collect();
    format!("[{}]", dims.join(","))
}

/// All inputs and outputs of a model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// In the model's order.
    pub inputs: Vec<TensorSpec>,
    /// In the model's order.
    pub outputs: Vec<TensorSpec>,
}

impl fmt::Display for TensorSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.name, self.dtype, shape(&self.dims))
    }
}

/// `beat: f32 [?,2,128], rr: f32 [?,30] -> probabilities: f32 [?,4]`.
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |specs: &[TensorSpec]| specs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        write!(f, "{} -> {}", list(&self.inputs), list(&self.outputs))
    }
}

/// A tensor that the host owns; valid until the call returns.
#[derive(Debug, Clone, Copy)]
pub struct TensorView<'a> {
    name: &'a str,
    dtype: DType,
    dims: &'a [usize],
    bytes: &'a [u8],
}

impl<'a> TensorView<'a> {
    /// A view over `bytes`, whose length must be what `dims` and `dtype` say.
    ///
    /// # Errors
    /// `InvalidArgument` naming the tensor and both lengths when they differ or the product overflows.
    pub fn new(name: &'a str, dtype: DType, dims: &'a [usize], bytes: &'a [u8]) -> Result<Self, Failure> {
        let wanted = dims
            .iter()
            .try_fold(dtype.size(), |product, &dim| product.checked_mul(dim));
        if wanted != Some(bytes.len()) {
            return Err(Failure::new(
                Code::InvalidArgument,
                format!(
                    "tensor `{name}` of shape {dims:?} and type {dtype} does not fit {} bytes",
                    bytes.len()
                ),
            ));
        }
        Ok(Self {
            name,
            dtype,
            dims,
            bytes,
        })
    }

    /// The tensor's name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Element type.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Dimensions.
    #[must_use]
    pub fn dims(&self) -> &'a [usize] {
        self.dims
    }

    /// The elements' bytes.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The elements as `f32`.
    ///
    /// # Errors
    /// `InvalidArgument` when the tensor holds another type or is not aligned.
    pub fn as_f32(&self) -> Result<&'a [f32], Failure> {
        if self.dtype != DType::F32 {
            return Err(Failure::new(
                Code::InvalidArgument,
                format!("tensor `{}` holds {}, not f32", self.name, self.dtype),
            ));
        }
        bytemuck::try_cast_slice(self.bytes)
            .map_err(|cause| Failure::new(Code::InvalidArgument, format!("tensor `{}`: {cause}", self.name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_refuses_bytes_that_do_not_fit_its_shape() {
        let bytes = [0_u8; 24];
        assert!(TensorView::new("x", DType::F32, &[2, 3], &bytes).is_ok());
        assert!(TensorView::new("x", DType::F32, &[2, 4], &bytes).is_err());
        assert!(TensorView::new("x", DType::F32, &[usize::MAX, 2], &bytes).is_err());
        assert!(
            TensorView::new("x", DType::I64, &[3], &bytes)
                .unwrap()
                .as_f32()
                .is_err()
        );
    }
}
