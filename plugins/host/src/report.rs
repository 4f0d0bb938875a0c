//! How a plugin tells the host why it failed.

use einthoven_plugin_abi::plugin::{EINTHOVEN_ABI_MINOR, EINTHOVEN_OK, Report, Str};
use einthoven_plugin_abi::view;
use einthoven_plugin_sdk::{Code, Failure};
use std::ffi::c_void;
use std::ptr;
use std::sync::{Mutex, PoisonError};

/// Calls a function that makes a handle, with a report for its failure.
pub(crate) fn made(
    what: &str,
    call: impl FnOnce(*const Report, *mut *mut c_void) -> i32,
) -> Result<*mut c_void, Failure> {
    let said = Mutex::new(String::new());
    let report = Report {
        struct_size: size_of::<Report>() as u32,
        abi_minor: EINTHOVEN_ABI_MINOR,
        ctx: ptr::from_ref(&said).cast_mut().cast(),
        set_error: Some(set_error),
    };
    let mut handle = ptr::null_mut();
    let status = call(&raw const report, &raw mut handle);
    let said = said.into_inner().unwrap_or_else(PoisonError::into_inner);
    if status != EINTHOVEN_OK {
        let text = if said.is_empty() {
            format!("`{what}` failed with status {status} and said nothing")
        } else {
            said
        };
        return Err(Failure::new(Code::from_status(status), text));
    }
    if handle.is_null() {
        return Err(Failure::internal(format!("`{what}` succeeded but gave nothing")));
    }
    Ok(handle)
}

/// Bytes of a plugin's sentence that are kept.
const LONGEST_SENTENCE: usize = 4096;

/// A plugin's sentence, bounded, whatever bytes it holds.
///
/// # Safety
/// `text` lives during the call.
pub(crate) unsafe fn sentence(text: Str) -> String {
    // SAFETY: the caller's promise.
    let bytes = unsafe { view::slice(text.ptr.cast::<u8>(), text.len.min(LONGEST_SENTENCE as u64)) };
    String::from_utf8_lossy(bytes).into_owned()
}

unsafe extern "C" fn set_error(ctx: *mut c_void, message: Str) {
    // SAFETY: `ctx` is the mutex of the `made` that is waiting for this call; the text lives during the call.
    unsafe {
        if let Some(said) = ctx.cast::<Mutex<String>>().as_ref() {
            *said.lock().unwrap_or_else(PoisonError::into_inner) = sentence(message);
        }
    }
}
