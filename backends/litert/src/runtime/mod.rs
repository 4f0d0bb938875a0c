//! LiteRT's objects, each owned and freed once. All of the crate's `unsafe` is in this folder.
#![allow(unsafe_code, reason = "a C library is called")]

mod compiled;
mod ffi;
mod graph;

pub use compiled::{CompiledModel, TensorBuffer};
pub use graph::{Graph, Operator};

use einthoven_plugin_sdk::{Code, DType, Failure};
use ffi::{Functions, Handle, Status};
use std::error::Error;
use std::ffi::{CStr, c_char};
use std::path::Path;
use std::ptr;
use std::sync::Mutex;

/// The library with an environment of its own, for the CPU only. Cheap to share, never unloaded.
pub struct Environment {
    functions: Functions,
    handle: Handle,
    /// The library does not say that compiling from two threads is safe.
    compiling: Mutex<()>,
}

// SAFETY: the environment is only read after it was made; what changes it, compiling, is behind the mutex.
unsafe impl Send for Environment {}
// SAFETY: as above.
unsafe impl Sync for Environment {}

impl Environment {
    /// Opens the library.
    ///
    /// # Safety
    /// The file is LiteRT 2.3.0.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be loaded or lacks a function.
    pub unsafe fn open(path: &Path) -> Result<Self, Failure> {
        let unavailable = |cause: String| Failure::new(Code::Unavailable, cause);
        // SAFETY: the caller vouches for the file.
        let functions = unsafe { Functions::open(path) }.map_err(|cause| {
            // What is really wrong, such as the missing function, is one level down.
            unavailable(cause.source().map_or_else(|| cause.to_string(), ToString::to_string))
        })?;
        let option = |tag, integer| ffi::EnvironmentOption {
            tag,
            value: ffi::Any {
                kind: ffi::ANY_INT,
                integer,
            },
        };
        let options = [
            option(ffi::AUTO_REGISTER_ACCELERATORS, i64::from(ffi::CPU)),
            option(ffi::MIN_LOGGER_SEVERITY, ffi::SILENT),
        ];
        let mut handle = ptr::null_mut();
        // SAFETY: two options, and a place for the handle.
        let status = unsafe { (functions.create_environment)(2, options.as_ptr(), &raw mut handle) };
        check(status, "create an environment").map_err(|failure| unavailable(failure.message))?;
        Ok(Self {
            functions,
            handle,
            compiling: Mutex::new(()),
        })
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        // SAFETY: made by the library, and everything that used it holds this value, so it is gone.
        unsafe { (self.functions.destroy_environment)(self.handle) }
    }
}

/// Element types that both LiteRT and the contract have.
fn dtype(element: i32) -> Option<DType> {
    Some(match element {
        1 => DType::F32,
        3 => DType::U8,
        4 => DType::I64,
        6 => DType::Bool,
        9 => DType::I8,
        10 => DType::F16,
        _ => return None,
    })
}

/// LiteRT's number for an element type.
fn element(dtype: DType) -> i32 {
    match dtype {
        DType::F32 => 1,
        DType::U8 => 3,
        DType::I64 => 4,
        DType::Bool => 6,
        DType::I8 => 9,
        DType::F16 => 10,
    }
}

/// What a type that the contract lacks is called.
fn element_name(element: i32) -> String {
    let name = match element {
        2 => "i32",
        5 => "string",
        7 => "i16",
        8 => "complex64",
        11 => "f64",
        12 => "complex128",
        13 => "u64",
        16 => "u32",
        17 => "u16",
        18 => "i4",
        19 => "bf16",
        other => return format!("number {other}"),
    };
    name.to_owned()
}

fn check(status: Status, what: &str) -> Result<(), Failure> {
    let (code, name) = match status {
        0 => return Ok(()),
        1 => (Code::InvalidArgument, "invalid argument"),
        2 => (Code::ResourceExhausted, "out of memory"),
        3 => (Code::Internal, "runtime failure"),
        5 => (Code::Unsupported, "unsupported"),
        6 => (Code::NotFound, "not found"),
        501 => (Code::InvalidArgument, "it is damaged, or no TensorFlow Lite file"),
        504 => (Code::Unsupported, "compilation failed"),
        1000 => (Code::InvalidArgument, "index out of range"),
        1001 => (Code::InvalidArgument, "invalid tensor type"),
        _ => (Code::Internal, "failure"),
    };
    Err(Failure::new(
        code,
        format!("LiteRT could not {what}: {name} (status {status})"),
    ))
}

/// A text of the library's, copied.
///
/// # Safety
/// `text` is null or ends with a zero byte.
unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}
