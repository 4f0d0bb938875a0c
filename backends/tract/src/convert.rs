//! Between the contract's tensors and tract's.

use einthoven_plugin_sdk::{Code, DType, Failure, TensorView};
use tract_onnx::prelude::{DatumType, Tensor};

/// tract's name for an element type.
pub(crate) fn to_tract(dtype: DType) -> DatumType {
    match dtype {
        DType::F32 => DatumType::F32,
        DType::F16 => DatumType::F16,
        DType::I64 => DatumType::I64,
        DType::I8 => DatumType::I8,
        DType::U8 => DatumType::U8,
        DType::Bool => DatumType::Bool,
    }
}

/// The contract's name for one of tract's element types.
pub(crate) fn from_tract(name: &str, datum: DatumType) -> Result<DType, Failure> {
    Ok(match datum {
        DatumType::F32 => DType::F32,
        DatumType::F16 => DType::F16,
        DatumType::I64 => DType::I64,
        DatumType::I8 => DType::I8,
        DatumType::U8 => DType::U8,
        DatumType::Bool => DType::Bool,
        other => {
            let text =
                format!("tensor `{name}` has the element type {other:?}, which the tract engine does not pass on");
            return Err(Failure::new(Code::Unsupported, text));
        }
    })
}

/// Copies a view into a tensor of tract's own, which wants its own alignment.
pub(crate) fn tensor(view: &TensorView<'_>) -> Result<Tensor, Failure> {
    let mut tensor = Tensor::zero_dt(to_tract(view.dtype()), view.dims()).map_err(Failure::internal)?;
    tensor.as_bytes_mut().copy_from_slice(view.bytes());
    Ok(tensor)
}
