//! The host's side of one batch, as the engine's C code sees it.

use super::outputs::Outputs;
use super::runner::Until;
use crate::report::sentence;
use einthoven_plugin_abi::engine::{Call, Tensor};
use einthoven_plugin_abi::plugin::{
    EINTHOVEN_ABI_MINOR, EINTHOVEN_INTERNAL, EINTHOVEN_INVALID_ARGUMENT, EINTHOVEN_OK, EINTHOVEN_RESOURCE_EXHAUSTED,
    Str,
};
use einthoven_plugin_abi::view::{self, lend};
use einthoven_plugin_sdk::{Code, DType, Failure, TensorView};
use std::ffi::c_void;
use std::ptr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Most dimensions an output may have.
const MOST_DIMS: usize = 16;

/// Failed items that are kept; an engine cannot make the host remember more.
const MOST_FAILED: usize = 1 << 20;

/// What the engine's calls write to. Behind a mutex, since an engine may call from threads of its own.
#[derive(Default)]
struct Answer {
    outputs: Outputs,
    said: String,
}

struct Context<'a> {
    answer: Mutex<Answer>,
    until: &'a Until,
}

/// Runs one batch on an instance.
///
/// # Safety
/// `execute` and `instance` belong together, and nobody else uses the instance during the call.
pub(super) unsafe fn execute(
    execute: unsafe extern "C" fn(*mut c_void, *const Call) -> i32,
    instance: *mut c_void,
    inputs: &[TensorView<'_>],
    until: &Until,
) -> Result<Outputs, Failure> {
    // One piece of memory for the dimensions of all inputs: small batches notice every allocation.
    let all_dims: Vec<i64> = inputs
        .iter()
        .flat_map(TensorView::dims)
        .map(|&dim| dim as i64)
        .collect();
    let mut rest = all_dims.as_slice();
    let tensors: Vec<_> = inputs
        .iter()
        .map(|input| {
            let (dims, behind) = rest.split_at(input.dims().len());
            rest = behind;
            Tensor {
                name: lend(input.name()),
                data: input.bytes().as_ptr().cast(),
                len: input.bytes().len() as u64,
                dims: dims.as_ptr(),
                rank: dims.len() as u32,
                dtype: input.dtype().code(),
            }
        })
        .collect();
    let context = Context {
        answer: Mutex::default(),
        until,
    };
    let remaining = until
        .deadline
        .map(|deadline| deadline.saturating_duration_since(Instant::now()));
    let call = Call {
        struct_size: size_of::<Call>() as u32,
        abi_minor: EINTHOVEN_ABI_MINOR,
        ctx: ptr::from_ref(&context).cast_mut().cast(),
        inputs: tensors.as_ptr(),
        input_count: tensors.len() as u64,
        remaining_ns: remaining.map_or(u64::MAX, |left| u64::try_from(left.as_nanos()).unwrap_or(u64::MAX)),
        set_error: Some(set_error),
        output: Some(output),
        fail_item: Some(fail_item),
        cancelled: Some(cancelled),
    };
    // SAFETY: the caller's promise; everything the call leads to lives until it returns.
    let status = unsafe { execute(instance, &raw const call) };
    let answer = context.answer.into_inner().unwrap_or_else(PoisonError::into_inner);
    if status == EINTHOVEN_OK {
        return Ok(answer.outputs);
    }
    let text = if answer.said.is_empty() {
        format!("the engine failed with status {status} and said nothing")
    } else {
        answer.said
    };
    Err(Failure::new(Code::from_status(status), text))
}

/// # Safety
/// `ctx` is the context of a call that has not returned.
unsafe fn with<T>(ctx: *mut c_void, work: impl FnOnce(&mut Answer) -> T) -> Option<T> {
    // SAFETY: the caller's promise; the engine only ever sees it through this pointer.
    let context = unsafe { ctx.cast::<Context<'_>>().as_ref() }?;
    Some(work(&mut context.answer.lock().unwrap_or_else(PoisonError::into_inner)))
}

unsafe extern "C" fn set_error(ctx: *mut c_void, message: Str) {
    // SAFETY: our own context; the engine's text lives during the call.
    unsafe { with(ctx, |answer| answer.said = sentence(message)) };
}

unsafe extern "C" fn output(
    ctx: *mut c_void,
    name: Str,
    dtype: u32,
    dims: *const i64,
    rank: u32,
    out: *mut *mut c_void,
) -> i32 {
    if out.is_null() || rank as usize > MOST_DIMS || (dims.is_null() && rank > 0) {
        return EINTHOVEN_INVALID_ARGUMENT;
    }
    // SAFETY: the engine's text and dimensions live during the call; the rank is bounded.
    let (name, dims) = unsafe { (view::borrow(name), view::slice(dims, u64::from(rank))) };
    let mut sizes = [0; MOST_DIMS];
    for (size, &dim) in sizes.iter_mut().zip(dims) {
        let Ok(dim) = usize::try_from(dim) else {
            return EINTHOVEN_INVALID_ARGUMENT;
        };
        *size = dim;
    }
    let (Ok(name), Some(dtype)) = (name, DType::from_code(dtype)) else {
        return EINTHOVEN_INVALID_ARGUMENT;
    };
    // SAFETY: our own context; `out` is not null and the engine lets us write to it.
    let given = unsafe {
        with(ctx, |answer| {
            let buffer = answer.outputs.add(name, dtype, &sizes[..rank as usize])?;
            *out = buffer.as_mut_ptr().cast();
            Ok(())
        })
    };
    match given {
        Some(Ok(())) => EINTHOVEN_OK,
        Some(Err(Failure {
            code: Code::ResourceExhausted,
            ..
        })) => EINTHOVEN_RESOURCE_EXHAUSTED,
        Some(Err(_)) => EINTHOVEN_INVALID_ARGUMENT,
        None => EINTHOVEN_INTERNAL,
    }
}

unsafe extern "C" fn fail_item(ctx: *mut c_void, item: u64, code: i32, message: Str) {
    // SAFETY: our own context; the engine's text lives during the call.
    unsafe {
        with(ctx, |answer| {
            if answer.outputs.failed().len() < MOST_FAILED {
                let failure = Failure::new(Code::from_status(code), sentence(message));
                answer
                    .outputs
                    .fail_item(usize::try_from(item).unwrap_or(usize::MAX), failure);
            }
        })
    };
}

unsafe extern "C" fn cancelled(ctx: *mut c_void) -> u32 {
    // SAFETY: our own context.
    let Some(context) = (unsafe { ctx.cast::<Context<'_>>().as_ref() }) else {
        return 1;
    };
    let asked = context
        .until
        .cancelled
        .as_ref()
        .is_some_and(|cancelled| cancelled.is_cancelled());
    let late = context
        .until
        .deadline
        .is_some_and(|deadline| Instant::now() >= deadline);
    u32::from(asked || late)
}
