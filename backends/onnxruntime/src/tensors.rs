//! Between the contract's tensors and ONNX Runtime's.

use bytemuck::checked::CheckedBitPattern;
use einthoven_plugin_sdk::{DType, Failure, TensorSpec, TensorView};
use ort::session::SessionInputValue;
use ort::value::{
    DynTensorValueType, DynValue, Outlet, PrimitiveTensorElementType, Tensor, TensorElementType, TensorRef, ValueType,
};
use std::fmt::Debug;

/// An input or output as the graph declares it.
pub(crate) fn spec(outlet: &Outlet) -> Result<TensorSpec, Failure> {
    let name = outlet.name();
    let ValueType::Tensor { ty, shape, .. } = outlet.dtype() else {
        return Err(Failure::unsupported(format!(
            "`{name}` is {}, only tensors are passed on; leave it out when exporting (for scikit-learn: `zipmap=False`)",
            outlet.dtype()
        )));
    };
    Ok(TensorSpec {
        name: name.to_owned(),
        dtype: dtype(*ty).ok_or_else(|| {
            let types = DType::ALL.map(|dtype| dtype.to_string()).join(", ");
            Failure::unsupported(format!(
                "tensor `{name}` has the element type {ty}, only {types} are passed on"
            ))
        })?,
        dims: shape.iter().map(|&size| usize::try_from(size).ok()).collect(),
    })
}

fn dtype(element: TensorElementType) -> Option<DType> {
    Some(match element {
        TensorElementType::Float32 => DType::F32,
        TensorElementType::Float16 => DType::F16,
        TensorElementType::Int64 => DType::I64,
        TensorElementType::Int8 => DType::I8,
        TensorElementType::Uint8 => DType::U8,
        TensorElementType::Bool => DType::Bool,
        _ => return None,
    })
}

/// Whether an input's bytes stay the host's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Memory {
    /// Used where they lie, without a copy.
    Borrowed,
    /// Copied once. To be bound, a tensor must own its memory: the bindings' clone of a borrowed one waits for itself
    /// for ever.
    Owned,
}

/// An input as ONNX Runtime takes it.
pub(crate) fn input<'a>(view: &TensorView<'a>, memory: Memory) -> Result<SessionInputValue<'a>, Failure> {
    match view.dtype() {
        DType::F32 => typed::<f32>(view, memory),
        DType::F16 => typed::<half::f16>(view, memory),
        DType::I64 => typed::<i64>(view, memory),
        DType::I8 => typed::<i8>(view, memory),
        DType::U8 => typed::<u8>(view, memory),
        DType::Bool => typed::<bool>(view, memory),
    }
}

fn typed<'a, T>(view: &TensorView<'a>, memory: Memory) -> Result<SessionInputValue<'a>, Failure>
where
    T: PrimitiveTensorElementType + CheckedBitPattern + Debug + 'static,
{
    let wrong = |cause: String| Failure::invalid(format!("input `{}`: {cause}", view.name()));
    // Refuses bytes that are not aligned, and truth values other than 0 and 1.
    let elements: &'a [T] =
        bytemuck::checked::try_cast_slice(view.bytes()).map_err(|cause| wrong(cause.to_string()))?;
    match memory {
        Memory::Borrowed => TensorRef::from_array_view((view.dims(), elements)).map(Into::into),
        Memory::Owned => Tensor::from_array((view.dims(), elements.to_vec())).map(Into::into),
    }
    .map_err(|cause| wrong(cause.to_string()))
}

/// An output: its type, its dimensions and its bytes.
pub(crate) fn output<'v>(name: &str, value: &'v DynValue) -> Result<(DType, Vec<usize>, &'v [u8]), Failure> {
    let lost = |what: &str| Failure::internal(format!("output `{name}` {what}"));
    let tensor = value
        .view()
        .downcast::<DynTensorValueType>()
        .map_err(|cause| lost(&cause.to_string()))?;
    let dtype = dtype(*tensor.data_type()).ok_or_else(|| lost("changed its type"))?;
    let dims: Vec<usize> = tensor
        .shape()
        .iter()
        .map(|&size| usize::try_from(size).unwrap_or(0))
        .collect();
    let size = dims.iter().product::<usize>() * dtype.size();
    if size == 0 {
        return Ok((dtype, dims, &[]));
    }
    if !tensor.memory_info().is_cpu_accessible() || tensor.size() != Some(size) {
        return Err(lost("does not lie in the processor's memory"));
    }
    let start = tensor.data_ptr().cast::<u8>();
    if start.is_null() {
        return Err(lost("has no data"));
    }
    // SAFETY: ONNX Runtime says that the tensor has `size` bytes here; `value` keeps them and nobody writes to them. As
    // bytes, because truth values need not be 0 or 1.
    let bytes = unsafe { std::slice::from_raw_parts(start, size) };
    Ok((dtype, dims, bytes))
}
