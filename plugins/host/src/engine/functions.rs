//! An engine's functions, once none of them can be null.

use einthoven_plugin_abi::engine::{Call, Device, EngineApi, ModelPackage, Signature};
use einthoven_plugin_abi::plugin::{Report, Setup, Str};
use std::ffi::c_void;

type Handle = *mut c_void;

/// As [`EngineApi`] has them.
#[derive(Clone, Copy)]
pub(super) struct Functions {
    pub(super) open: unsafe extern "C" fn(*const Setup, *const Report, *mut Handle) -> i32,
    pub(super) close: unsafe extern "C" fn(Handle),
    pub(super) runtime: unsafe extern "C" fn(Handle) -> Str,
    pub(super) load: unsafe extern "C" fn(Handle, *const ModelPackage, *const Report, *mut Handle) -> i32,
    pub(super) signature: unsafe extern "C" fn(Handle) -> *const Signature,
    pub(super) unload: unsafe extern "C" fn(Handle),
    pub(super) instance: unsafe extern "C" fn(Handle, *const Device, *const Report, *mut Handle) -> i32,
    pub(super) provider: unsafe extern "C" fn(Handle) -> Str,
    pub(super) release: unsafe extern "C" fn(Handle),
    pub(super) execute: unsafe extern "C" fn(Handle, *const Call) -> i32,
}

impl Functions {
    /// All of them, or the name of the first that is null.
    pub(super) fn of(api: &EngineApi) -> Result<Self, &'static str> {
        Ok(Self {
            open: api.open.ok_or("open")?,
            close: api.close.ok_or("close")?,
            runtime: api.runtime.ok_or("runtime")?,
            load: api.load.ok_or("load")?,
            signature: api.signature.ok_or("signature")?,
            unload: api.unload.ok_or("unload")?,
            instance: api.instance.ok_or("instance")?,
            provider: api.provider.ok_or("provider")?,
            release: api.release.ok_or("release")?,
            execute: api.execute.ok_or("execute")?,
        })
    }
}
