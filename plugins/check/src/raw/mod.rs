//! The plugin's C functions, called with anything a check wants. All of the harness's unsafe code is here.
//!
//! Some calls break the host's side of the contract on purpose. What an innocent plugin does with them is the question, and
//! the process in which it is asked holds nothing that could be lost.

pub(crate) mod call;
pub(crate) mod engine;
pub(crate) mod reading;

use einthoven_plugin_abi::plugin::{EINTHOVEN_ABI_MINOR, EINTHOVEN_OK, Host, Plugin, Report, Setup, Str};
use einthoven_plugin_abi::view::{self, lend};
use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// How long a struct says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Size {
    /// As this host knows it.
    #[default]
    Whole,
    /// Only the start; what lies beyond is a trap.
    Short,
    /// As by a later host, which appended fields.
    Long,
    /// There is none: the pointer is null.
    Null,
}

/// A handle of the plugin's.
#[derive(Clone, Copy)]
pub(crate) struct Handle(pub(crate) *mut c_void);

// SAFETY: the contract lets handles be used from any thread.
unsafe impl Send for Handle {}

impl Handle {
    pub(crate) const NULL: Self = Self(ptr::null_mut());
}

/// A call that did not work: the status and what was said.
#[derive(Debug, Default)]
pub(crate) struct Refusal {
    pub(crate) status: i32,
    pub(crate) said: Option<Vec<u8>>,
    /// A function beyond the end of a short struct was called.
    pub(crate) beyond: bool,
}

/// A struct in memory with something behind it, saying that it is of another size.
struct Framed(Vec<u64>);

impl Framed {
    fn new<T: Copy>(value: &T, size: Size, short: usize) -> Self {
        const MORE: usize = 64;
        let mut bytes = vec![0xAAAA_AAAA_AAAA_AAAA_u64; (size_of::<T>() + MORE).div_ceil(8)];
        let stated = match size {
            Size::Short => short,
            Size::Long => size_of::<T>() + MORE,
            Size::Whole | Size::Null => size_of::<T>(),
        };
        // SAFETY: the buffer is longer than `T` and aligned as no struct of the contract exceeds.
        unsafe {
            ptr::copy_nonoverlapping(
                ptr::from_ref(value).cast::<u8>(),
                bytes.as_mut_ptr().cast::<u8>(),
                size_of::<T>(),
            );
            bytes.as_mut_ptr().cast::<u32>().write(stated as u32);
        }
        Self(bytes)
    }

    fn ptr<T>(&self, size: Size) -> *const T {
        if size == Size::Null {
            ptr::null()
        } else {
            self.0.as_ptr().cast()
        }
    }
}

/// Text that must not be looked at.
fn trap() -> Str {
    Str {
        ptr: ptr::without_provenance(8),
        len: 1 << 20,
    }
}

/// The entry once more, and with nulls.
pub(crate) fn entry_again(entry: unsafe extern "C" fn(*const Host, *mut *const Plugin) -> i32) -> Result<(), String> {
    let host = Host {
        struct_size: size_of::<Host>() as u32,
        abi_minor: EINTHOVEN_ABI_MINOR,
        host: ptr::null_mut(),
        log: Some(ignored_log),
    };
    // The contract lets a plugin keep it for ever.
    let host: &'static Host = Box::leak(Box::new(host));
    let mut seen = Vec::new();
    for size in [Size::Whole, Size::Long] {
        let framed: &'static Framed = Box::leak(Box::new(Framed::new(host, size, 0)));
        let mut out = ptr::null();
        // SAFETY: the entry's signature is fixed by its name; both pointers are good.
        let status = unsafe { entry(framed.ptr(size), &raw mut out) };
        if status != EINTHOVEN_OK || out.is_null() {
            return Err(format!("its entry, called again, gave status {status}"));
        }
        // SAFETY: a description starts with its size and lives until the process ends.
        let name = unsafe { view::known_part(out).and_then(|plugin| view::borrow(plugin.name).ok()) };
        seen.push(name.map(str::to_owned));
    }
    if seen.first() != seen.last() {
        return Err("its entry, called again, describes another plugin".to_owned());
    }
    let mut out = ptr::null();
    // SAFETY: null is what is tried.
    let (no_host, no_out) = unsafe { (entry(ptr::null(), &raw mut out), entry(host, ptr::null_mut())) };
    if no_host == EINTHOVEN_OK || no_out == EINTHOVEN_OK {
        return Err("its entry accepts null".to_owned());
    }
    Ok(())
}

unsafe extern "C" fn ignored_log(_: *mut c_void, _: u32, _: Str, _: Str) {}

/// What a report's functions write to.
#[derive(Default)]
struct Said {
    text: Mutex<Option<Vec<u8>>>,
    beyond: AtomicBool,
}

/// # Safety
/// `text` lives during the call.
unsafe fn copied(text: Str) -> Vec<u8> {
    // SAFETY: the caller's promise; bounded.
    unsafe { view::slice(text.ptr.cast::<u8>(), text.len.min(65_536)) }.to_vec()
}

unsafe extern "C" fn set_error(ctx: *mut c_void, message: Str) {
    // SAFETY: `ctx` is the `Said` of the call that has not returned.
    unsafe {
        if let Some(said) = ctx.cast::<Said>().as_ref() {
            *said.text.lock().unwrap_or_else(PoisonError::into_inner) = Some(copied(message));
        }
    }
}

unsafe extern "C" fn set_error_beyond(ctx: *mut c_void, _: Str) {
    // SAFETY: as above.
    if let Some(said) = unsafe { ctx.cast::<Said>().as_ref() } {
        said.beyond.store(true, Ordering::SeqCst);
    }
}

/// Calls something that makes a handle; `report` is how it may say why not.
pub(crate) fn made(report: Size, call: impl FnOnce(*const Report, *mut *mut c_void) -> i32) -> Result<Handle, Refusal> {
    let said = Said::default();
    let table = Report {
        struct_size: 0,
        abi_minor: EINTHOVEN_ABI_MINOR,
        ctx: ptr::from_ref(&said).cast_mut().cast(),
        set_error: Some(if report == Size::Short {
            set_error_beyond
        } else {
            set_error
        }),
    };
    let framed = Framed::new(&table, report, offset_of!(Report, set_error));
    let mut handle = ptr::null_mut();
    let status = call(framed.ptr(report), &raw mut handle);
    if status == EINTHOVEN_OK {
        if handle.is_null() {
            return Err(Refusal {
                status,
                ..Refusal::default()
            });
        }
        return Ok(Handle(handle));
    }
    Err(Refusal {
        status,
        said: said.text.into_inner().unwrap_or_else(PoisonError::into_inner),
        beyond: said.beyond.into_inner(),
    })
}

/// `open` of an engine or a reader.
pub(crate) type Open = unsafe extern "C" fn(*const Setup, *const Report, *mut *mut c_void) -> i32;

/// Calls `open` of an engine or a reader.
pub(crate) fn open(open: Open, directory: &str, setup: Size, report: Size) -> Result<Handle, Refusal> {
    let table = Setup {
        struct_size: 0,
        abi_minor: EINTHOVEN_ABI_MINOR,
        directory: lend(directory),
        config: if setup == Size::Short { trap() } else { lend("{}") },
    };
    let framed = Framed::new(&table, setup, offset_of!(Setup, config));
    // SAFETY: the plugin's function; what is not null is good during the call.
    made(report, |report, out| unsafe { open(framed.ptr(setup), report, out) })
}

/// Calls `open` with no place for its result.
pub(crate) fn open_nowhere(open: Open) -> i32 {
    let table = Setup {
        struct_size: size_of::<Setup>() as u32,
        abi_minor: EINTHOVEN_ABI_MINOR,
        directory: lend(""),
        config: lend("{}"),
    };
    // SAFETY: null is what is tried.
    unsafe { open(&raw const table, ptr::null(), ptr::null_mut()) }
}

/// Calls a function that frees a handle.
pub(crate) fn freed(free: unsafe extern "C" fn(*mut c_void), handle: Handle) {
    // SAFETY: the handle is the plugin's own and is not used again, or null.
    unsafe { free(handle.0) };
}
