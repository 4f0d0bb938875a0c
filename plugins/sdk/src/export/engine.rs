//! An [`Engine`] behind the functions of [`EngineApi`].

use super::call::run;
use super::{Cell, caught, described, free, give, plugin, state, text};
use crate::engine::{Device, Engine, Instance, Model, ModelFile, ModelPackage};
use crate::failure::{Code, Failure};
use crate::tensor::{Signature, TensorSpec};
use einthoven_plugin_abi::engine::{self as abi, EngineApi};
use einthoven_plugin_abi::plugin::{
    EINTHOVEN_ABI_MINOR, EINTHOVEN_INVALID_ARGUMENT, EINTHOVEN_KIND_ENGINE, EINTHOVEN_OK, Host, Plugin, Report, Setup,
    Str,
};
use std::ffi::c_void;
use std::marker::PhantomData;
use std::mem::size_of;
use std::path::Path;
use std::ptr;

/// The body of the entry that [`export_engine!`](crate::export_engine) makes.
///
/// # Safety
/// `out` is null or may be written to.
pub unsafe fn engine_entry<E: Engine>(cell: &'static Cell, host: *const Host, out: *mut *const Plugin) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        described(cell, host, out, || {
            let info = E::INFO;
            let api = EngineApi {
                dtypes: info.dtypes.iter().fold(0, |bits, dtype| bits | 1 << dtype.code()),
                devices: info.devices.iter().fold(0, |bits, device| {
                    bits | if *device == "cuda" {
                        1 << abi::EINTHOVEN_CUDA
                    } else {
                        1 << abi::EINTHOVEN_CPU
                    }
                }),
                ..Table::<E>::API
            };
            plugin(
                EINTHOVEN_KIND_ENGINE,
                (info.name, info.version),
                info.formats,
                info.config_schema,
                ptr::from_ref::<EngineApi>(Box::leak(Box::new(api))).cast(),
            )
        })
    }
}

/// The entry of an engine that is linked into the host, for `Plugin::linked_engine`.
///
/// It is no symbol: a binary into which two plugins were linked would hold the exported one twice.
///
/// # Safety
/// As for an exported entry: `out` is null or may be written to, `host` is null or lives until the process ends.
pub unsafe extern "C" fn linked_engine<E: Engine>(host: *const Host, out: *mut *const Plugin) -> i32 {
    // A description lives until the process ends; a host asks for it once.
    let cell: &'static Cell = Box::leak(Box::default());
    // SAFETY: the host's own pointers are passed on.
    unsafe { engine_entry::<E>(cell, host, out) }
}

/// An engine and its version's text, which the host may look at until `close`.
struct OpenEngine<E> {
    engine: E,
    runtime: String,
}

/// A model and its signature in C's words.
struct LoadedModel {
    model: Box<dyn Model>,
    signature: CSignature,
}

struct LiveInstance {
    instance: Box<dyn Instance>,
    provider: String,
    poisoned: bool,
}

/// A signature in C's words, with the memory it points into.
struct CSignature {
    whole: abi::Signature,
    _specs: Vec<abi::TensorSpec>,
    _dims: Vec<Vec<i64>>,
    _signature: Signature,
}

impl CSignature {
    fn new(signature: &Signature) -> Self {
        let signature = signature.clone();
        let all = || signature.inputs.iter().chain(&signature.outputs);
        let dims: Vec<Vec<i64>> = all()
            .map(|spec| {
                let dim = |dim: &Option<usize>| dim.map_or(-1, |size| i64::try_from(size).unwrap_or(i64::MAX));
                spec.dims.iter().map(dim).collect()
            })
            .collect();
        let spec = |(spec, dims): (&TensorSpec, &Vec<i64>)| abi::TensorSpec {
            name: text::lend(&spec.name),
            dims: dims.as_ptr(),
            rank: dims.len() as u32,
            dtype: spec.dtype.code(),
        };
        let specs: Vec<_> = all().zip(&dims).map(spec).collect();
        let inputs = signature.inputs.len();
        let whole = abi::Signature {
            struct_size: size_of::<abi::Signature>() as u32,
            abi_minor: EINTHOVEN_ABI_MINOR,
            inputs: specs.as_ptr(),
            input_count: inputs as u64,
            outputs: specs[inputs..].as_ptr(),
            output_count: signature.outputs.len() as u64,
        };
        // Moving the vectors and the names does not move what they point to.
        Self {
            whole,
            _specs: specs,
            _dims: dims,
            _signature: signature,
        }
    }
}

struct Table<E>(PhantomData<E>);

impl<E: Engine> Table<E> {
    const API: EngineApi = EngineApi {
        struct_size: size_of::<EngineApi>() as u32,
        abi_minor: EINTHOVEN_ABI_MINOR,
        capabilities: abi::EINTHOVEN_PARALLEL_LOAD,
        dtypes: 0,
        devices: 0,
        open: Some(open::<E>),
        close: Some(close::<E>),
        runtime: Some(runtime::<E>),
        load: Some(load::<E>),
        signature: Some(signature),
        unload: Some(unload),
        instance: Some(instance),
        provider: Some(provider),
        release: Some(release),
        execute: Some(execute),
    };
}

unsafe extern "C" fn open<E: Engine>(setup: *const Setup, report: *const Report, out: *mut *mut c_void) -> i32 {
    // SAFETY: the host's pointers, valid during the call.
    let made = caught(|| unsafe {
        text::with_setup(setup, |setup| {
            let engine = E::open(setup)?;
            let runtime = engine.runtime();
            Ok(OpenEngine { engine, runtime })
        })
    });
    // SAFETY: as above.
    unsafe { give(made, report, out) }
}

unsafe extern "C" fn close<E: Engine>(engine: *mut c_void) {
    // SAFETY: made by `open` for this type, and freed once.
    unsafe { free::<OpenEngine<E>>(engine) };
}

unsafe extern "C" fn runtime<E: Engine>(engine: *mut c_void) -> Str {
    // SAFETY: made by `open` for this type.
    let engine = unsafe { engine.cast::<OpenEngine<E>>().as_ref() };
    text::lend(engine.map_or("", |engine| engine.runtime.as_str()))
}

unsafe extern "C" fn load<E: Engine>(
    engine: *mut c_void,
    package: *const abi::ModelPackage,
    report: *const Report,
    out: *mut *mut c_void,
) -> i32 {
    let made = caught(|| {
        // SAFETY: made by `open` for this type; the package is valid during the call.
        let (engine, package) = unsafe { (engine.cast::<OpenEngine<E>>().as_ref(), text::known_part(package)) };
        let (Some(engine), Some(package)) = (engine, package) else {
            return Err(Failure::invalid("the engine or the package is null"));
        };
        // SAFETY: the package's parts live as long as the package.
        unsafe {
            let files = text::slice(package.files, package.file_count)
                .iter()
                .map(|file| {
                    Ok(ModelFile {
                        name: text::borrow(file.name)?,
                        bytes: text::slice(file.data.cast::<u8>(), file.len),
                    })
                })
                .collect::<Result<Vec<_>, Failure>>()?;
            let directory = text::borrow(package.directory)?;
            let config = text::json(text::borrow(package.config)?)?;
            let package = ModelPackage {
                files: &files,
                entry: text::borrow(package.entry)?,
                directory: (!directory.is_empty()).then(|| Path::new(directory)),
            };
            let model = engine.engine.load(&package, &config)?;
            let signature = CSignature::new(model.signature());
            Ok(LoadedModel { model, signature })
        }
    });
    // SAFETY: the host's pointers, valid during the call.
    unsafe { give(made, report, out) }
}

unsafe extern "C" fn signature(model: *mut c_void) -> *const abi::Signature {
    // SAFETY: made by `load`.
    let model = unsafe { model.cast::<LoadedModel>().as_ref() };
    model.map_or(ptr::null(), |model| &raw const model.signature.whole)
}

unsafe extern "C" fn unload(model: *mut c_void) {
    // SAFETY: made by `load`, and freed once.
    unsafe { free::<LoadedModel>(model) };
}

unsafe extern "C" fn instance(
    model: *mut c_void,
    device: *const abi::Device,
    report: *const Report,
    out: *mut *mut c_void,
) -> i32 {
    let made = caught(|| {
        // SAFETY: made by `load`; the device is valid during the call.
        let (model, device) = unsafe { (model.cast::<LoadedModel>().as_ref(), text::known_part(device)) };
        let (Some(model), Some(device)) = (model, device) else {
            return Err(Failure::invalid("the model or the device is null"));
        };
        let device = match device.kind {
            abi::EINTHOVEN_CPU => Device::Cpu,
            abi::EINTHOVEN_CUDA => Device::Cuda(device.ordinal),
            other => {
                return Err(Failure::new(
                    Code::Unavailable,
                    format!("there is no device of kind {other}"),
                ));
            }
        };
        let instance = model.model.instance(&device)?;
        let provider = instance.provider();
        Ok(LiveInstance {
            instance,
            provider,
            poisoned: false,
        })
    });
    // SAFETY: the host's pointers, valid during the call.
    unsafe { give(made, report, out) }
}

unsafe extern "C" fn provider(instance: *mut c_void) -> Str {
    // SAFETY: made by `instance`.
    let instance = unsafe { instance.cast::<LiveInstance>().as_ref() };
    text::lend(instance.map_or("", |instance| instance.provider.as_str()))
}

unsafe extern "C" fn release(instance: *mut c_void) {
    // SAFETY: made by `instance`, and freed once.
    unsafe { free::<LiveInstance>(instance) };
}

unsafe extern "C" fn execute(instance: *mut c_void, call: *const abi::Call) -> i32 {
    // SAFETY: made by `instance`, and the host makes one call at a time; the call is valid until we return.
    let (live, call) = unsafe { (instance.cast::<LiveInstance>().as_mut(), text::known_part(call)) };
    let (Some(live), Some(call)) = (live, call) else {
        return EINTHOVEN_INVALID_ARGUMENT;
    };
    let done = if live.poisoned {
        Err(Failure::new(
            Code::Poisoned,
            "the instance panicked before and is not used again",
        ))
    } else {
        caught(|| run(live.instance.as_mut(), &call))
    };
    match done {
        Ok(()) => EINTHOVEN_OK,
        Err(failure) => {
            live.poisoned |= failure.code == Code::Poisoned;
            // SAFETY: the host's function with its own context.
            unsafe { state(&failure, call.ctx, call.set_error) }
        }
    }
}
