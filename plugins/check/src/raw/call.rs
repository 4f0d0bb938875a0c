//! One batch: what an engine is given, and the host's side of it.

use super::engine::Functions;
use super::{Framed, Handle, Refusal, Size, copied};
use einthoven_plugin_abi::engine::{self as abi, Tensor};
use einthoven_plugin_abi::plugin::{
    EINTHOVEN_ABI_MINOR, EINTHOVEN_INTERNAL, EINTHOVEN_INVALID_ARGUMENT, EINTHOVEN_OK, EINTHOVEN_RESOURCE_EXHAUSTED,
    Str,
};
use einthoven_plugin_abi::view::{self, lend};
use einthoven_plugin_host::DType;
use std::ffi::c_void;
use std::mem::{offset_of, take};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Inputs of one call.
#[derive(Clone)]
pub(crate) struct Batch {
    pub(crate) inputs: Vec<Input>,
}

/// One input; its parts need not fit each other.
#[derive(Clone)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) dtype: u32,
    pub(crate) dims: Vec<i64>,
    pub(crate) len: u64,
    pub(crate) no_data: bool,
    words: Vec<u64>,
}

impl Input {
    pub(crate) fn new(name: &str, dtype: DType, dims: Vec<i64>, bytes: &[u8]) -> Self {
        let word = |chunk: &[u8]| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_ne_bytes(word)
        };
        Self {
            name: name.to_owned(),
            dtype: dtype.code(),
            dims,
            len: bytes.len() as u64,
            no_data: false,
            words: bytes.chunks(8).map(word).collect(),
        }
    }

    /// Its bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let bytes = self.words.iter().flat_map(|word| word.to_ne_bytes());
        bytes.take(self.len as usize).collect()
    }

    fn lent(&self) -> Tensor {
        Tensor {
            name: lend(&self.name),
            data: if self.no_data {
                ptr::null()
            } else {
                self.words.as_ptr().cast()
            },
            len: self.len,
            dims: self.dims.as_ptr(),
            rank: self.dims.len() as u32,
            dtype: self.dtype,
        }
    }
}

/// How a batch is to be run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct How {
    pub(crate) size: Size,
    pub(crate) null_inputs: bool,
    /// The host gives no output buffer.
    pub(crate) refuse_outputs: bool,
    pub(crate) cancelled: bool,
    pub(crate) remaining_ns: Option<u64>,
}

/// What a batch gave.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) refusal: Refusal,
    pub(crate) outputs: Vec<Output>,
    /// Item, status and text.
    pub(crate) failed: Vec<(u64, i32, Vec<u8>)>,
}

/// One output.
pub(crate) struct Output {
    pub(crate) name: String,
    pub(crate) dtype: DType,
    pub(crate) dims: Vec<i64>,
    buffer: Vec<u64>,
    bytes: usize,
}

impl Output {
    pub(crate) fn values(&self) -> Vec<f64> {
        let bytes: Vec<u8> = self
            .buffer
            .iter()
            .flat_map(|word| word.to_ne_bytes())
            .take(self.bytes)
            .collect();
        crate::sample::decoded(self.dtype, &bytes)
    }
}

impl Functions {
    /// Runs one batch.
    pub(crate) fn execute(&self, instance: Handle, batch: &Batch, how: &How) -> Answer {
        self.execute_and_watch(instance, batch, how).0
    }

    /// Runs one batch; the context tells later whether the plugin called back after it had returned.
    pub(crate) fn execute_and_watch(&self, instance: Handle, batch: &Batch, how: &How) -> (Answer, Box<Context>) {
        let tensors: Vec<_> = batch.inputs.iter().map(Input::lent).collect();
        let context = Box::new(Context {
            how: *how,
            answer: Mutex::default(),
            returned: AtomicBool::new(false),
            late: AtomicBool::new(false),
        });
        let short = how.size == Size::Short;
        let table = abi::Call {
            struct_size: 0,
            abi_minor: EINTHOVEN_ABI_MINOR,
            ctx: ptr::from_ref(&*context).cast_mut().cast(),
            inputs: if how.null_inputs { ptr::null() } else { tensors.as_ptr() },
            input_count: tensors.len() as u64,
            remaining_ns: how.remaining_ns.unwrap_or(u64::MAX),
            set_error: Some(call_error),
            output: Some(if short { output_beyond } else { output }),
            fail_item: Some(if short { fail_item_beyond } else { fail_item }),
            cancelled: Some(if short { cancelled_beyond } else { cancelled }),
        };
        let framed = Framed::new(&table, how.size, offset_of!(abi::Call, output));
        // SAFETY: the plugin's function; what is not null is good during the call.
        let status = unsafe { (self.execute)(instance.0, framed.ptr(how.size)) };
        context.returned.store(true, Ordering::SeqCst);
        let mut answer = take(&mut *context.answer.lock().unwrap_or_else(PoisonError::into_inner));
        answer.refusal.status = status;
        (answer, context)
    }
}

/// The host's side of one batch.
pub(crate) struct Context {
    how: How,
    answer: Mutex<Answer>,
    returned: AtomicBool,
    late: AtomicBool,
}

impl Context {
    /// Whether the plugin called back after it had returned.
    pub(crate) fn called_late(&self) -> bool {
        self.late.load(Ordering::SeqCst)
    }
}

/// Bytes of one output above which the host refuses.
const LARGEST_OUTPUT: u64 = 1 << 30;

/// # Safety
/// `ctx` is a context that lives.
unsafe fn with<T>(ctx: *mut c_void, work: impl FnOnce(&mut Answer, &How) -> T) -> Option<T> {
    // SAFETY: the caller's promise.
    let context = unsafe { ctx.cast::<Context>().as_ref() }?;
    if context.returned.load(Ordering::SeqCst) {
        context.late.store(true, Ordering::SeqCst);
        return None;
    }
    let mut answer = context.answer.lock().unwrap_or_else(PoisonError::into_inner);
    Some(work(&mut answer, &context.how))
}

unsafe extern "C" fn call_error(ctx: *mut c_void, message: Str) {
    // SAFETY: our own context; the text lives during the call.
    unsafe { with(ctx, |answer, _| answer.refusal.said = Some(copied(message))) };
}

unsafe extern "C" fn output(
    ctx: *mut c_void,
    name: Str,
    dtype: u32,
    dims: *const i64,
    rank: u32,
    out: *mut *mut c_void,
) -> i32 {
    if out.is_null() || rank > 16 || (dims.is_null() && rank > 0) {
        return EINTHOVEN_INVALID_ARGUMENT;
    }
    // SAFETY: the plugin's name and dimensions live during the call; `out` may be written to; our own context.
    unsafe {
        let (name, dims) = (view::borrow(name), view::slice(dims, u64::from(rank)));
        let (Ok(name), Some(dtype)) = (name, DType::from_code(dtype)) else {
            return EINTHOVEN_INVALID_ARGUMENT;
        };
        let bytes = dims.iter().try_fold(dtype.size() as u64, |product, &dim| {
            product.checked_mul(u64::try_from(dim).ok()?)
        });
        let given = with(ctx, |answer, how| {
            if answer.outputs.iter().any(|output| output.name == name) {
                return EINTHOVEN_INVALID_ARGUMENT;
            }
            let Some(bytes) = bytes.filter(|bytes| *bytes <= LARGEST_OUTPUT && !how.refuse_outputs) else {
                return EINTHOVEN_RESOURCE_EXHAUSTED;
            };
            let bytes = bytes as usize;
            let mut buffer = vec![0_u64; bytes.div_ceil(8)];
            // The buffer stays where it is when the vector moves.
            *out = buffer.as_mut_ptr().cast();
            answer.outputs.push(Output {
                name: name.to_owned(),
                dtype,
                dims: dims.to_vec(),
                buffer,
                bytes,
            });
            EINTHOVEN_OK
        });
        given.unwrap_or(EINTHOVEN_INTERNAL)
    }
}

unsafe extern "C" fn fail_item(ctx: *mut c_void, item: u64, code: i32, message: Str) {
    // SAFETY: our own context; the text lives during the call.
    unsafe { with(ctx, |answer, _| answer.failed.push((item, code, copied(message)))) };
}

unsafe extern "C" fn cancelled(ctx: *mut c_void) -> u32 {
    // SAFETY: our own context.
    u32::from(unsafe { with(ctx, |_, how| how.cancelled) }.unwrap_or(true))
}

unsafe extern "C" fn output_beyond(
    ctx: *mut c_void,
    _: Str,
    _: u32,
    _: *const i64,
    _: u32,
    _: *mut *mut c_void,
) -> i32 {
    // SAFETY: our own context.
    unsafe { with(ctx, |answer, _| answer.refusal.beyond = true) };
    EINTHOVEN_INTERNAL
}

unsafe extern "C" fn fail_item_beyond(ctx: *mut c_void, _: u64, _: i32, _: Str) {
    // SAFETY: our own context.
    unsafe { with(ctx, |answer, _| answer.refusal.beyond = true) };
}

unsafe extern "C" fn cancelled_beyond(ctx: *mut c_void) -> u32 {
    // SAFETY: our own context.
    unsafe { with(ctx, |answer, _| answer.refusal.beyond = true) };
    0
}
