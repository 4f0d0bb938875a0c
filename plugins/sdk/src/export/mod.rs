//! From the traits to the C table: what the export macros expand to. Not for direct use.
//!
//! Every function that the host calls catches unwinding here, since a panic that left the library would end the process.

mod engine;
mod reader;
mod text;

pub use engine::{engine_entry, linked_engine};
pub use reader::{linked_reader, reader_entry};

use crate::failure::{Code, Failure};
use einthoven_plugin_abi::plugin;
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

/// What the host said, as a failure.
fn refused(code: i32, what: impl FnOnce() -> String) -> Result<(), Failure> {
    if code == plugin::EINTHOVEN_OK {
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
unsafe fn state(
    failure: &Failure,
    ctx: *mut c_void,
    set_error: Option<unsafe extern "C" fn(*mut c_void, plugin::Str)>,
) -> i32 {
    if let Some(set_error) = set_error {
        // SAFETY: the host's function with the host's context; the text outlives the call.
        unsafe { set_error(ctx, text::lend(&failure.message)) };
    }
    failure.code.status()
}
