//! An engine's C functions.

use super::{Framed, Handle, Open, Refusal, Size, made, trap};
use crate::sample::Package;
use einthoven_plugin_abi::engine::{self as abi, EngineApi};
use einthoven_plugin_abi::plugin::{EINTHOVEN_ABI_MINOR, Report, Str};
use einthoven_plugin_abi::view::{self, lend};
use einthoven_plugin_host::DType;
use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr;

/// An engine's functions, none of them null.
#[derive(Clone, Copy)]
pub(crate) struct Functions {
    pub(crate) open: Open,
    pub(crate) close: unsafe extern "C" fn(*mut c_void),
    runtime: unsafe extern "C" fn(*mut c_void) -> Str,
    load: unsafe extern "C" fn(*mut c_void, *const abi::ModelPackage, *const Report, *mut *mut c_void) -> i32,
    signature: unsafe extern "C" fn(*mut c_void) -> *const abi::Signature,
    pub(crate) unload: unsafe extern "C" fn(*mut c_void),
    instance: unsafe extern "C" fn(*mut c_void, *const abi::Device, *const Report, *mut *mut c_void) -> i32,
    provider: unsafe extern "C" fn(*mut c_void) -> Str,
    pub(crate) release: unsafe extern "C" fn(*mut c_void),
    pub(super) execute: unsafe extern "C" fn(*mut c_void, *const abi::Call) -> i32,
}

impl Functions {
    pub(crate) fn of(api: &EngineApi) -> Result<Self, String> {
        let null = |name: &str| format!("its function `{name}` is null");
        Ok(Self {
            open: api.open.ok_or_else(|| null("open"))?,
            close: api.close.ok_or_else(|| null("close"))?,
            runtime: api.runtime.ok_or_else(|| null("runtime"))?,
            load: api.load.ok_or_else(|| null("load"))?,
            signature: api.signature.ok_or_else(|| null("signature"))?,
            unload: api.unload.ok_or_else(|| null("unload"))?,
            instance: api.instance.ok_or_else(|| null("instance"))?,
            provider: api.provider.ok_or_else(|| null("provider"))?,
            release: api.release.ok_or_else(|| null("release"))?,
            execute: api.execute.ok_or_else(|| null("execute"))?,
        })
    }

    pub(crate) fn runtime(&self, engine: Handle) -> Result<String, String> {
        // SAFETY: the engine is open; the text lives until it is closed.
        unsafe { view::borrow((self.runtime)(engine.0)) }
            .map(str::to_owned)
            .map_err(|_| "`runtime` is not UTF-8".to_owned())
    }

    pub(crate) fn provider(&self, instance: Handle) -> Result<String, String> {
        // SAFETY: the instance lives; so does the text.
        unsafe { view::borrow((self.provider)(instance.0)) }
            .map(str::to_owned)
            .map_err(|_| "`provider` is not UTF-8".to_owned())
    }

    pub(crate) fn load(
        &self,
        engine: Handle,
        package: &Package,
        config: &str,
        size: Size,
        report: Size,
    ) -> Result<Handle, Refusal> {
        let files: Vec<_> = package
            .files
            .iter()
            .map(|(name, bytes)| abi::ModelFile {
                name: lend(name),
                data: bytes.as_ptr().cast(),
                len: bytes.len() as u64,
            })
            .collect();
        let directory = package.directory.to_string_lossy();
        let table = abi::ModelPackage {
            struct_size: 0,
            abi_minor: EINTHOVEN_ABI_MINOR,
            files: files.as_ptr(),
            file_count: files.len() as u64,
            entry: lend(&package.entry),
            directory: lend(&directory),
            config: if size == Size::Short { trap() } else { lend(config) },
        };
        let framed = Framed::new(&table, size, offset_of!(abi::ModelPackage, config));
        // SAFETY: the plugin's function; what is not null is good during the call.
        made(report, |report, out| unsafe {
            (self.load)(engine.0, framed.ptr(size), report, out)
        })
    }

    pub(crate) fn instance(&self, model: Handle, kind: u32, size: Size, report: Size) -> Result<Handle, Refusal> {
        let table = abi::Device {
            struct_size: 0,
            abi_minor: EINTHOVEN_ABI_MINOR,
            kind,
            ordinal: 0,
        };
        let framed = Framed::new(&table, size, offset_of!(abi::Device, kind));
        // SAFETY: the plugin's function; what is not null is good during the call.
        made(report, |report, out| unsafe {
            (self.instance)(model.0, framed.ptr(size), report, out)
        })
    }

    /// Calls whatever makes a handle with no place for it; the statuses.
    pub(crate) fn nowhere(&self, engine: Handle, model: Handle) -> [(&'static str, i32); 2] {
        let package = abi::ModelPackage {
            struct_size: size_of::<abi::ModelPackage>() as u32,
            abi_minor: EINTHOVEN_ABI_MINOR,
            files: ptr::null(),
            file_count: 0,
            entry: lend(""),
            directory: lend(""),
            config: lend("{}"),
        };
        let device = abi::Device {
            struct_size: size_of::<abi::Device>() as u32,
            abi_minor: EINTHOVEN_ABI_MINOR,
            kind: abi::EINTHOVEN_CPU,
            ordinal: 0,
        };
        // SAFETY: null is what is tried.
        unsafe {
            [
                (
                    "load",
                    (self.load)(engine.0, &raw const package, ptr::null(), ptr::null_mut()),
                ),
                (
                    "instance",
                    (self.instance)(model.0, &raw const device, ptr::null(), ptr::null_mut()),
                ),
            ]
        }
    }

    pub(crate) fn signature(&self, model: Handle) -> Result<(Vec<Spec>, Vec<Spec>), String> {
        // SAFETY: the model is loaded; its signature lives as long, and starts with its size.
        let raw = unsafe { view::known_part((self.signature)(model.0)) }.ok_or("the model gave no signature")?;
        if (raw.struct_size as usize) < size_of::<abi::Signature>() {
            return Err("the model's signature is shorter than version 1.0 says".to_owned());
        }
        let specs = |specs: *const abi::TensorSpec, count: u64, what: &str| {
            if count == 0 || count > 1024 || specs.is_null() {
                return Err(format!("the model's signature claims {count} {what}"));
            }
            // SAFETY: as above; the count is bounded.
            unsafe { view::slice(specs, count) }
                .iter()
                .map(Spec::of)
                .collect::<Result<Vec<_>, _>>()
        };
        Ok((
            specs(raw.inputs, raw.input_count, "inputs")?,
            specs(raw.outputs, raw.output_count, "outputs")?,
        ))
    }
}

/// What a model takes or gives under one name; -1 where any size goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(crate) name: String,
    pub(crate) dtype: DType,
    pub(crate) dims: Vec<i64>,
}

impl Spec {
    fn of(raw: &abi::TensorSpec) -> Result<Self, String> {
        // SAFETY: a spec's text and dimensions live as long as the model.
        let name = unsafe { view::borrow(raw.name) }.map_err(|_| "a tensor's name is not UTF-8")?;
        if name.is_empty() || raw.rank > 16 {
            return Err(format!("tensor `{name}` has no name or claims {} dimensions", raw.rank));
        }
        let dtype = DType::from_code(raw.dtype);
        // SAFETY: as above; the rank is bounded.
        let dims = unsafe { view::slice(raw.dims, u64::from(raw.rank)) };
        if dims.len() != raw.rank as usize || dims.iter().any(|dim| *dim < -1) {
            return Err(format!("tensor `{name}` has the dimensions {dims:?}"));
        }
        Ok(Self {
            name: name.to_owned(),
            dtype: dtype.ok_or_else(|| format!("tensor `{name}` has the unknown element type {}", raw.dtype))?,
            dims: dims.to_vec(),
        })
    }
}
