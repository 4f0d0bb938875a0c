//! An [`Engine`] behind the functions of [`EngineApi`].

use super::{Cell, Description, caught, dropped, refused, state, text};
use crate::engine::{Call, Device, Engine, Instance, Model, ModelFile, ModelPackage};
use crate::failure::{Code, Failure};
use crate::tensor::{DType, Signature, TensorSpec, TensorView};
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
use std::time::{Duration, Instant};

/// The body of the entry that [`export_engine!`](crate::export_engine) makes.
///
/// # Safety
/// `out` is null or may be written to.
pub unsafe fn engine_entry<E: Engine>(cell: &'static Cell, host: *const Host, out: *mut *const Plugin) -> i32 {
    if host.is_null() || out.is_null() {
        return EINTHOVEN_INVALID_ARGUMENT;
    }
    let description = cell.get_or_init(|| {
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
        let formats: Vec<Str> = info.formats.iter().map(|format| text::lend(format)).collect();
        let formats: &'static [Str] = Vec::leak(formats);
        Description {
            plugin: Plugin {
                struct_size: size_of::<Plugin>() as u32,
                abi_minor: EINTHOVEN_ABI_MINOR,
                requires_host_minor: 0,
                kind: EINTHOVEN_KIND_ENGINE,
                name: text::lend(info.name),
                version: text::lend(info.version),
                formats: formats.as_ptr(),
                format_count: formats.len() as u64,
                config_schema: text::lend(info.config_schema),
                api: ptr::from_ref::<EngineApi>(Box::leak(Box::new(api))).cast(),
            },
        }
    });
    // SAFETY: not null, and the host lets us write to it.
    unsafe { *out = &raw const description.plugin };
    EINTHOVEN_OK
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

fn run(instance: &mut dyn Instance, call: &abi::Call) -> Result<(), Failure> {
    // SAFETY: the call's parts live as long as the call.
    let tensors = unsafe { text::slice(call.inputs, call.input_count) };
    // One piece of memory for the dimensions of all inputs: small batches notice every allocation.
    let mut all_dims = Vec::with_capacity(4 * tensors.len());
    for tensor in tensors {
        // SAFETY: as above.
        for &dim in unsafe { text::slice(tensor.dims, u64::from(tensor.rank)) } {
            all_dims.push(usize::try_from(dim).map_err(|_| Failure::invalid("an input has a negative dimension"))?);
        }
    }
    let mut rest = all_dims.as_slice();
    let mut views = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        // A null pointer has no dimensions, whatever the rank says.
        let rank = if tensor.dims.is_null() { 0 } else { tensor.rank as usize };
        let (dims, behind) = rest.split_at(rank);
        rest = behind;
        // SAFETY: as above.
        let (name, bytes) = unsafe {
            (
                text::borrow(tensor.name)?,
                text::slice(tensor.data.cast::<u8>(), tensor.len),
            )
        };
        let dtype = DType::from_code(tensor.dtype)
            .ok_or_else(|| Failure::invalid(format!("input `{name}` has the unknown element type {}", tensor.dtype)))?;
        views.push(TensorView::new(name, dtype, dims, bytes)?);
    }
    let deadline = Duration::from_nanos(call.remaining_ns);
    let deadline = (call.remaining_ns != u64::MAX)
        .then(|| Instant::now().checked_add(deadline))
        .flatten();
    instance.execute(&views, &mut HostCall { call, deadline })
}

/// Most dimensions of an output; hosts take no more.
const MOST_DIMS: usize = 16;

/// The host's side of a batch, behind its functions.
struct HostCall<'a> {
    call: &'a abi::Call,
    deadline: Option<Instant>,
}

impl Call for HostCall<'_> {
    fn output(&mut self, name: &str, dtype: DType, dims: &[usize]) -> Result<&mut [u8], Failure> {
        let describe = || format!("the host refuses output `{name}` of type {dtype} and shape {dims:?}");
        let output = self
            .call
            .output
            .ok_or_else(|| Failure::internal("the host gives no outputs"))?;
        let size = dims
            .iter()
            .try_fold(dtype.size(), |product, &dim| product.checked_mul(dim))
            .ok_or_else(|| Failure::new(Code::ResourceExhausted, describe()))?;
        let mut wide = [0; MOST_DIMS];
        if dims.len() > wide.len() {
            return Err(Failure::invalid(describe()));
        }
        for (wide, &dim) in wide.iter_mut().zip(dims) {
            *wide = i64::try_from(dim).map_err(|_| Failure::new(Code::ResourceExhausted, describe()))?;
        }
        let mut buffer = ptr::null_mut();
        // SAFETY: the host's function with its own context; all pointers live during the call.
        let code = unsafe {
            output(
                self.call.ctx,
                text::lend(name),
                dtype.code(),
                wide.as_ptr(),
                dims.len() as u32,
                &raw mut buffer,
            )
        };
        refused(code, describe)?;
        if size == 0 {
            return Ok(&mut []);
        }
        if buffer.is_null() {
            return Err(Failure::internal(describe()));
        }
        // SAFETY: the host promises `size` zeroed bytes that are ours until `execute` returns, a new buffer for every name.
        Ok(unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), size) })
    }

    fn fail_item(&mut self, item: usize, failure: Failure) {
        if let Some(fail_item) = self.call.fail_item {
            let (status, message) = (failure.code.status(), text::lend(&failure.message));
            // SAFETY: the host's function with its own context; the text outlives the call.
            unsafe { fail_item(self.call.ctx, item as u64, status, message) };
        }
    }

    fn cancelled(&self) -> bool {
        // SAFETY: the host's function with its own context.
        self.call
            .cancelled
            .is_some_and(|cancelled| unsafe { cancelled(self.call.ctx) } != 0)
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

/// Hands a value to the host as a handle, or states why there is none.
///
/// # Safety
/// `report` is null or valid during the call; `out` is null or may be written to.
pub(super) unsafe fn give<T>(made: Result<T, Failure>, report: *const Report, out: *mut *mut c_void) -> i32 {
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
pub(super) unsafe fn free<T>(handle: *mut c_void) {
    if !handle.is_null() {
        // SAFETY: the caller's promise.
        dropped(unsafe { Box::from_raw(handle.cast::<T>()) });
    }
}
