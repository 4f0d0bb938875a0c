//! From the traits to the C table: what the export macros expand to. Not for direct use.
//!
//! Every function that the host calls catches unwinding here, since a panic that left the library would end the process.

mod call;
mod engine;
mod reader;
mod text;

pub use engine::{engine_entry, linked_engine};
pub use reader::{linked_reader, reader_entry};

use crate::failure::{Code, Failure};
use einthoven_plugin_abi::plugin::{EINTHOVEN_ABI_MINOR, EINTHOVEN_INVALID_ARGUMENT, EINTHOVEN_OK, Report, Str};
use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

pub use einthoven_plugin_abi::plugin::{Host, Plugin};

/// A plugin's description, made at the first call of its entry.
pub struct Description {
    plugin: Plugin,
}

// SAFETY: the pointers in it lead to constants and leaked memory, which nobody changes.
unsafe impl Send for Description {}
// SAFETY: as above.
unsafe impl Sync for Description {}

/// Where a macro keeps it.
pub type Cell = OnceLock<Description>;

/// Describes a plugin; the parts of its description live until the process ends.
fn plugin(
    kind: u32,
    (name, version): (&'static str, &'static str),
    formats: &'static [&'static str],
    config_schema: &'static str,
    api: *const c_void,
) -> Plugin {
    let formats: Vec<Str> = formats.iter().map(|format| text::lend(format)).collect();
    let formats: &'static [Str] = Vec::leak(formats);
    Plugin {
        struct_size: size_of::<Plugin>() as u32,
        abi_minor: EINTHOVEN_ABI_MINOR,
        requires_host_minor: 0,
        kind,
        name: text::lend(name),
        version: text::lend(version),
        formats: formats.as_ptr(),
        format_count: formats.len() as u64,
        config_schema: text::lend(config_schema),
        api,
    }
}

/// Gives the host the plugin's description, which `plugin` makes at the first call.
///
/// # Safety
/// `out` is null or may be written to.
unsafe fn described(
    cell: &'static Cell,
    host: *const Host,
    out: *mut *const Plugin,
    plugin: impl FnOnce() -> Plugin,
) -> i32 {
    if host.is_null() || out.is_null() {
        return EINTHOVEN_INVALID_ARGUMENT;
    }
    let description = cell.get_or_init(|| Description { plugin: plugin() });
    // SAFETY: not null, and the host lets us write to it.
    unsafe { *out = &raw const description.plugin };
    EINTHOVEN_OK
}

/// What the host said, as a failure.
fn refused(code: i32, what: impl FnOnce() -> String) -> Result<(), Failure> {
    if code == EINTHOVEN_OK {
        return Ok(());
    }
    Err(Failure::new(Code::from_status(code), what()))
}

/// Runs `work`; a panic becomes a failure that poisons whatever was being worked on.
fn caught<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panicked(panic.as_ref());
        // A payload's own drop may panic again; leaking it costs less than aborting.
        std::mem::forget(panic);
        Err(Failure::new(Code::Poisoned, format!("the plugin panicked: {said}")))
    })
}

/// Runs a destructor; a panic in it is swallowed, since nobody could act on it.
fn dropped<T>(value: T) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        std::mem::forget(panic);
    }
}

fn panicked(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
        .to_owned()
}

/// States a failure to the host, and gives its status.
///
/// # Safety
/// `ctx` belongs to `set_error`.
unsafe fn state(failure: &Failure, ctx: *mut c_void, set_error: Option<unsafe extern "C" fn(*mut c_void, Str)>) -> i32 {
    if let Some(set_error) = set_error {
        // SAFETY: the host's function with the host's context; the text outlives the call.
        unsafe { set_error(ctx, text::lend(&failure.message)) };
    }
    failure.code.status()
}

/// Hands a value to the host as a handle, or states why there is none.
///
/// # Safety
/// `report` is null or valid during the call; `out` is null or may be written to.
unsafe fn give<T>(made: Result<T, Failure>, report: *const Report, out: *mut *mut c_void) -> i32 {
    if out.is_null() {
        return EINTHOVEN_INVALID_ARGUMENT;
    }
    match made {
        Ok(value) => {
            // SAFETY: not null, and the host lets us write to it.
            unsafe { *out = Box::into_raw(Box::new(value)).cast() };
            EINTHOVEN_OK
        }
        // SAFETY: the host's report with its own context.
        Err(failure) => unsafe {
            match text::known_part(report) {
                Some(report) => state(&failure, report.ctx, report.set_error),
                None => failure.code.status(),
            }
        },
    }
}

/// Frees what [`give`] handed out.
///
/// # Safety
/// `handle` is null or was made by [`give`] for this type, and is not used again.
unsafe fn free<T>(handle: *mut c_void) {
    if !handle.is_null() {
        // SAFETY: the caller's promise.
        dropped(unsafe { Box::from_raw(handle.cast::<T>()) });
    }
}
