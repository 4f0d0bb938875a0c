//! One batch: the host's tensors for an instance, and the host's functions behind [`Call`].

use super::{refused, text};
use crate::engine::{Call, Instance};
use crate::failure::{Code, Failure};
use crate::tensor::{DType, TensorView};
use einthoven_plugin_abi::engine as abi;
use std::ptr;
use std::time::{Duration, Instant};

/// Runs a batch.
pub(super) fn run(instance: &mut dyn Instance, call: &abi::Call) -> Result<(), Failure> {
    // SAFETY: the call's parts live as long as the call.
    let tensors = unsafe { text::slice(call.inputs, call.input_count) };
    // One piece of memory for the dimensions of all inputs: small batches notice every allocation.
    let mut all_dims = Vec::with_capacity(4 * tensors.len());
    for tensor in tensors {
        // SAFETY: as above.
        for &dim in unsafe { text::slice(tensor.dims, u64::from(tensor.rank)) } {
            all_dims.push(usize::try_from(dim).map_err(|_| Failure::invalid("an input has a negative dimension"))?);
        }
    }
    let mut rest = all_dims.as_slice();
    let mut views = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        // A null pointer has no dimensions, whatever the rank says.
        let rank = if tensor.dims.is_null() { 0 } else { tensor.rank as usize };
        let (dims, behind) = rest.split_at(rank);
        rest = behind;
        // SAFETY: as above.
        let (name, bytes) = unsafe {
            (
                text::borrow(tensor.name)?,
                text::slice(tensor.data.cast::<u8>(), tensor.len),
            )
        };
        let dtype = DType::from_code(tensor.dtype)
            .ok_or_else(|| Failure::invalid(format!("input `{name}` has the unknown element type {}", tensor.dtype)))?;
        views.push(TensorView::new(name, dtype, dims, bytes)?);
    }
    let deadline = Duration::from_nanos(call.remaining_ns);
    let deadline = (call.remaining_ns != u64::MAX)
        .then(|| Instant::now().checked_add(deadline))
        .flatten();
    instance.execute(&views, &mut HostCall { call, deadline })
}

/// Most dimensions of an output; hosts take no more.
const MOST_DIMS: usize = 16;

/// The host's side of a batch, behind its functions.
struct HostCall<'a> {
    call: &'a abi::Call,
    deadline: Option<Instant>,
}

impl Call for HostCall<'_> {
    fn output(&mut self, name: &str, dtype: DType, dims: &[usize]) -> Result<&mut [u8], Failure> {
        let describe = || format!("the host refuses output `{name}` of type {dtype} and shape {dims:?}");
        let output = self
            .call
            .output
            .ok_or_else(|| Failure::internal("the host gives no outputs"))?;
        let size = dims
            .iter()
            .try_fold(dtype.size(), |product, &dim| product.checked_mul(dim))
            .ok_or_else(|| Failure::new(Code::ResourceExhausted, describe()))?;
        let mut wide = [0; MOST_DIMS];
        if dims.len() > wide.len() {
            return Err(Failure::invalid(describe()));
        }
        for (wide, &dim) in wide.iter_mut().zip(dims) {
            *wide = i64::try_from(dim).map_err(|_| Failure::new(Code::ResourceExhausted, describe()))?;
        }
        let mut buffer = ptr::null_mut();
        // SAFETY: the host's function with its own context; all pointers live during the call.
        let code = unsafe {
            output(
                self.call.ctx,
                text::lend(name),
                dtype.code(),
                wide.as_ptr(),
                dims.len() as u32,
                &raw mut buffer,
            )
        };
        refused(code, describe)?;
        if size == 0 {
            return Ok(&mut []);
        }
        if buffer.is_null() {
            return Err(Failure::internal(describe()));
        }
        // SAFETY: the host promises `size` zeroed bytes that are ours until `execute` returns, a new buffer for every name.
        Ok(unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), size) })
    }

    fn fail_item(&mut self, item: usize, failure: Failure) {
        if let Some(fail_item) = self.call.fail_item {
            let (status, message) = (failure.code.status(), text::lend(&failure.message));
            // SAFETY: the host's function with its own context; the text outlives the call.
            unsafe { fail_item(self.call.ctx, item as u64, status, message) };
        }
    }

    fn cancelled(&self) -> bool {
        // SAFETY: the host's function with its own context.
        self.call
            .cancelled
            .is_some_and(|cancelled| unsafe { cancelled(self.call.ctx) } != 0)
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}
