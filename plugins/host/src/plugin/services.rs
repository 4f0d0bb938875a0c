//! What the host offers to every plugin.

use einthoven_plugin_abi::plugin::{
    EINTHOVEN_ABI_MINOR, EINTHOVEN_LOG_DEBUG, EINTHOVEN_LOG_ERROR, EINTHOVEN_LOG_WARN, Host, Str,
};
use einthoven_plugin_abi::view;
use std::ffi::c_void;

/// The host's services, one table for the whole process.
pub(super) static HOST: Services = Services(Host {
    struct_size: size_of::<Host>() as u32,
    abi_minor: EINTHOVEN_ABI_MINOR,
    host: std::ptr::null_mut(),
    log: Some(log),
});

pub(super) struct Services(Host);

// SAFETY: its only pointer is null; nobody writes to it.
unsafe impl Sync for Services {}

impl Services {
    pub(super) fn get(&'static self) -> *const Host {
        &raw const self.0
    }
}

/// Bytes of a plugin's message that are kept.
const LONGEST_MESSAGE: usize = 4096;

unsafe extern "C" fn log(_host: *mut c_void, level: u32, target: Str, message: Str) {
    // SAFETY: the plugin's texts live during the call.
    let (target, message) = unsafe { (view::borrow(target), view::borrow(message)) };
    let (Ok(target), Ok(message)) = (target, message) else {
        return;
    };
    let message = message.get(..LONGEST_MESSAGE).unwrap_or(message);
    match level {
        EINTHOVEN_LOG_ERROR => tracing::error!(plugin = target, "{message}"),
        EINTHOVEN_LOG_WARN => tracing::warn!(plugin = target, "{message}"),
        EINTHOVEN_LOG_DEBUG => tracing::debug!(plugin = target, "{message}"),
        _ => tracing::info!(plugin = target, "{message}"),
    }
}
