//! The plugin's C functions, called with anything a check wants. All of the harness's unsafe code is here.
//!
//! Some calls break the host's side of the contract on purpose. What an innocent plugin does with them is the question, and
//! the process in which it is asked holds nothing that could be lost.

pub(crate) mod reading;

use crate::sample::Package;
use einthoven_plugin_abi::engine::{self as abi, EngineApi, Tensor};
use einthoven_plugin_abi::plugin::{
    EINTHOVEN_ABI_MINOR, EINTHOVEN_INTERNAL, EINTHOVEN_INVALID_ARGUMENT, EINTHOVEN_OK, EINTHOVEN_RESOURCE_EXHAUSTED,
    Host, Plugin, Report, Setup, Str,
};
use einthoven_plugin_abi::view::{self, lend};
use einthoven_plugin_host::DType;
use std::ffi::c_void;
use std::mem::{offset_of, take};
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

/// Calls `open` of an engine or a reader.
pub(crate) fn open(
    open: unsafe extern "C" fn(*const Setup, *const Report, *mut *mut c_void) -> i32,
    directory: &str,
    setup: Size,
    report: Size,
) -> Result<Handle, Refusal> {
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
pub(crate) fn open_nowhere(open: unsafe extern "C" fn(*const Setup, *const Report, *mut *mut c_void) -> i32) -> i32 {
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

/// An engine's functions, none of them null.
#[derive(Clone, Copy)]
pub(crate) struct Functions {
    pub(crate) open: unsafe extern "C" fn(*const Setup, *const Report, *mut *mut c_void) -> i32,
    pub(crate) close: unsafe extern "C" fn(*mut c_void),
    runtime: unsafe extern "C" fn(*mut c_void) -> Str,
    load: unsafe extern "C" fn(*mut c_void, *const abi::ModelPackage, *const Report, *mut *mut c_void) -> i32,
    signature: unsafe extern "C" fn(*mut c_void) -> *const abi::Signature,
    pub(crate) unload: unsafe extern "C" fn(*mut c_void),
    instance: unsafe extern "C" fn(*mut c_void, *const abi::Device, *const Report, *mut *mut c_void) -> i32,
    provider: unsafe extern "C" fn(*mut c_void) -> Str,
    pub(crate) release: unsafe extern "C" fn(*mut c_void),
    execute: unsafe extern "C" fn(*mut c_void, *const abi::Call) -> i32,
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

    /// Runs one batch.
    pub(crate) fn execute(&self, instance: Handle, batch: &Batch, how: &How) -> Answer {
        self.execute_and_watch(instance, batch, how).0
    }

    /// Runs one batch; the context tells later whether the plugin called back after it had returned.
    pub(crate) fn execute_and_watch(&self, instance: Handle, batch: &Batch, how: &How) -> (Answer, Box<Context>) {
        let tensors: Vec<_> = batch.inputs.iter().map(Input::lent).collect();
        let context = Box::new(Context {
            how: *how,
            answer: Mutex::default(),
            returned: AtomicBool::new(false),
            late: AtomicBool::new(false),
        });
        let short = how.size == Size::Short;
        let table = abi::Call {
            struct_size: 0,
            abi_minor: EINTHOVEN_ABI_MINOR,
            ctx: ptr::from_ref(&*context).cast_mut().cast(),
            inputs: if how.null_inputs { ptr::null() } else { tensors.as_ptr() },
            input_count: tensors.len() as u64,
            remaining_ns: how.remaining_ns.unwrap_or(u64::MAX),
            set_error: Some(call_error),
            output: Some(if short { output_beyond } else { output }),
            fail_item: Some(if short { fail_item_beyond } else { fail_item }),
            cancelled: Some(if short { cancelled_beyond } else { cancelled }),
        };
        let framed = Framed::new(&table, how.size, offset_of!(abi::Call, output));
        // SAFETY: the plugin's function; what is not null is good during the call.
        let status = unsafe { (self.execute)(instance.0, framed.ptr(how.size)) };
        context.returned.store(true, Ordering::SeqCst);
        let mut answer = take(&mut *context.answer.lock().unwrap_or_else(PoisonError::into_inner));
        answer.refusal.status = status;
        (answer, context)
    }
}

/// How a batch is to be run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct How {
    pub(crate) size: Size,
    pub(crate) null_inputs: bool,
    /// The host gives no output buffer.
    pub(crate) refuse_outputs: bool,
    pub(crate) cancelled: bool,
    pub(crate) remaining_ns: Option<u64>,
}

/// What a batch gave.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) refusal: Refusal,
    pub(crate) outputs: Vec<Output>,
    /// Item, status and text.
    pub(crate) failed: Vec<(u64, i32, Vec<u8>)>,
}

/// One output.
pub(crate) struct Output {
    pub(crate) name: String,
    pub(crate) dtype: DType,
    pub(crate) dims: Vec<i64>,
    buffer: Vec<u64>,
    bytes: usize,
}

impl Output {
    pub(crate) fn values(&self) -> Vec<f64> {
        let bytes: Vec<u8> = self
            .buffer
            .iter()
            .flat_map(|word| word.to_ne_bytes())
            .take(self.bytes)
            .collect();
        crate::sample::decoded(self.dtype, &bytes)
    }
}

/// The host's side of one batch.
pub(crate) struct Context {
    how: How,
    answer: Mutex<Answer>,
    returned: AtomicBool,
    late: AtomicBool,
}

impl Context {
    /// Whether the plugin called back after it had returned.
    pub(crate) fn called_late(&self) -> bool {
        self.late.load(Ordering::SeqCst)
    }
}

/// Bytes of one output above which the host refuses.
const LARGEST_OUTPUT: u64 = 1 << 30;

/// # Safety
/// `ctx` is a context that lives.
unsafe fn with<T>(ctx: *mut c_void, work: impl FnOnce(&mut Answer, &How) -> T) -> Option<T> {
    // SAFETY: the caller's promise.
    let context = unsafe { ctx.cast::<Context>().as_ref() }?;
    if context.returned.load(Ordering::SeqCst) {
        context.late.store(true, Ordering::SeqCst);
        return None;
    }
    let mut answer = context.answer.lock().unwrap_or_else(PoisonError::into_inner);
    Some(work(&mut answer, &context.how))
}

unsafe extern "C" fn call_error(ctx: *mut c_void, message: Str) {
    // SAFETY: our own context; the text lives during the call.
    unsafe { with(ctx, |answer, _| answer.refusal.said = Some(copied(message))) };
}

unsafe extern "C" fn output(
    ctx: *mut c_void,
    name: Str,
    dtype: u32,
    dims: *const i64,
    rank: u32,
    out: *mut *mut c_void,
) -> i32 {
    if out.is_null() || rank > 16 || (dims.is_null() && rank > 0) {
        return EINTHOVEN_INVALID_ARGUMENT;
    }
    // SAFETY: the plugin's name and dimensions live during the call; `out` may be written to; our own context.
    unsafe {
        let (name, dims) = (view::borrow(name), view::slice(dims, u64::from(rank)));
        let (Ok(name), Some(dtype)) = (name, DType::from_code(dtype)) else {
            return EINTHOVEN_INVALID_ARGUMENT;
        };
        let bytes = dims.iter().try_fold(dtype.size() as u64, |product, &dim| {
            product.checked_mul(u64::try_from(dim).ok()?)
        });
        let given = with(ctx, |answer, how| {
            if answer.outputs.iter().any(|output| output.name == name) {
                return EINTHOVEN_INVALID_ARGUMENT;
            }
            let Some(bytes) = bytes.filter(|bytes| *bytes <= LARGEST_OUTPUT && !how.refuse_outputs) else {
                return EINTHOVEN_RESOURCE_EXHAUSTED;
            };
            let bytes = bytes as usize;
            let mut buffer = vec![0_u64; bytes.div_ceil(8)];
            // The buffer stays where it is when the vector moves.
            *out = buffer.as_mut_ptr().cast();
            answer.outputs.push(Output {
                name: name.to_owned(),
                dtype,
                dims: dims.to_vec(),
                buffer,
                bytes,
            });
            EINTHOVEN_OK
        });
        given.unwrap_or(EINTHOVEN_INTERNAL)
    }
}

unsafe extern "C" fn fail_item(ctx: *mut c_void, item: u64, code: i32, message: Str) {
    // SAFETY: our own context; the text lives during the call.
    unsafe { with(ctx, |answer, _| answer.failed.push((item, code, copied(message)))) };
}

unsafe extern "C" fn cancelled(ctx: *mut c_void) -> u32 {
    // SAFETY: our own context.
    u32::from(unsafe { with(ctx, |_, how| how.cancelled) }.unwrap_or(true))
}

unsafe extern "C" fn output_beyond(
    ctx: *mut c_void,
    _: Str,
    _: u32,
    _: *const i64,
    _: u32,
    _: *mut *mut c_void,
) -> i32 {
    // SAFETY: our own context.
    unsafe { with(ctx, |answer, _| answer.refusal.beyond = true) };
    EINTHOVEN_INTERNAL
}

unsafe extern "C" fn fail_item_beyond(ctx: *mut c_void, _: u64, _: i32, _: Str) {
    // SAFETY: our own context.
    unsafe { with(ctx, |answer, _| answer.refusal.beyond = true) };
}

unsafe extern "C" fn cancelled_beyond(ctx: *mut c_void) -> u32 {
    // SAFETY: our own context.
    unsafe { with(ctx, |answer, _| answer.refusal.beyond = true) };
    0
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

/// Inputs of one call.
#[derive(Clone)]
pub(crate) struct Batch {
    pub(crate) inputs: Vec<Input>,
}

/// One input; its parts need not fit each other.
#[derive(Clone)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) dtype: u32,
    pub(crate) dims: Vec<i64>,
    pub(crate) len: u64,
    pub(crate) no_data: bool,
    words: Vec<u64>,
}

impl Input {
    pub(crate) fn new(name: &str, dtype: DType, dims: Vec<i64>, bytes: &[u8]) -> Self {
        let word = |chunk: &[u8]| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_ne_bytes(word)
        };
        Self {
            name: name.to_owned(),
            dtype: dtype.code(),
            dims,
            len: bytes.len() as u64,
            no_data: false,
            words: bytes.chunks(8).map(word).collect(),
        }
    }

    /// Its bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let bytes = self.words.iter().flat_map(|word| word.to_ne_bytes());
        bytes.take(self.len as usize).collect()
    }

    fn lent(&self) -> Tensor {
        Tensor {
            name: lend(&self.name),
            data: if self.no_data {
                ptr::null()
            } else {
                self.words.as_ptr().cast()
            },
            len: self.len,
            dims: self.dims.as_ptr(),
            rank: self.dims.len() as u32,
            dtype: self.dtype,
        }
    }
}
