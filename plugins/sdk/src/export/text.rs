//! Text and configuration from the host.

use crate::failure::Failure;
use crate::setup::Setup;
use einthoven_plugin_abi::plugin::{self, Str};
use einthoven_plugin_abi::view;
pub(super) use einthoven_plugin_abi::view::{known_part, lend, slice};
use std::path::Path;

/// The host's text.
///
/// # Safety
/// As for [`slice()`].
pub(super) unsafe fn borrow<'a>(text: Str) -> Result<&'a str, Failure> {
    // SAFETY: the caller's promise.
    unsafe { view::borrow(text) }.map_err(|_| Failure::invalid("a text from the host is not UTF-8"))
}

/// Opens a plugin's type with the host's setup.
///
/// # Safety
/// `setup` is null or leads to a setup that lives during the call.
pub(super) unsafe fn with_setup<T>(
    setup: *const plugin::Setup,
    open: impl FnOnce(&Setup<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    // SAFETY: the caller's promise.
    let Some(setup) = (unsafe { known_part(setup) }) else {
        return Err(Failure::invalid("the setup is null"));
    };
    // SAFETY: the struct's texts live as long as the struct.
    let (directory, config) = unsafe { (borrow(setup.directory)?, borrow(setup.config)?) };
    let config = json(config)?;
    open(&Setup {
        directory: (!directory.is_empty()).then(|| Path::new(directory)),
        config: &config,
    })
}

/// A configuration; nothing at all is an empty one.
pub(super) fn json(text: &str) -> Result<serde_json::Value, Failure> {
    if text.is_empty() {
        return Ok(serde_json::Value::Object(serde_json::Map::new()));
    }
    serde_json::from_str(text).map_err(|cause| Failure::invalid(format!("the configuration is no JSON: {cause}")))
}
