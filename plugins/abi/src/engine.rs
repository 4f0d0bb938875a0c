//! A plugin that runs networks.

use crate::plugin::{Report, Setup, Str};
use core::ffi::c_void;

/// 32-bit IEEE float.
pub const EINTHOVEN_F32: u32 = 1;
/// 16-bit IEEE float.
pub const EINTHOVEN_F16: u32 = 2;
/// 64-bit signed integer.
pub const EINTHOVEN_I64: u32 = 3;
/// 8-bit signed integer.
pub const EINTHOVEN_I8: u32 = 4;
/// 8-bit unsigned integer.
pub const EINTHOVEN_U8: u32 = 5;
/// One byte, 0 or 1.
pub const EINTHOVEN_BOOL: u32 = 6;

/// The processor.
pub const EINTHOVEN_CPU: u32 = 1;
/// A CUDA device.
pub const EINTHOVEN_CUDA: u32 = 2;

/// `load` may be called from several threads at once; without this bit the host calls it from one at a time.
pub const EINTHOVEN_PARALLEL_LOAD: u64 = 1;

/// A tensor the host owns. Never changes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Tensor {
    /// The input's name.
    pub name: Str,
    /// The elements, aligned to 8 bytes.
    pub data: *const c_void,
    /// Bytes at `data`: the product of `dims` and the element's size.
    pub len: u64,
    /// Dimensions, none negative.
    pub dims: *const i64,
    /// How many `dims`.
    pub rank: u32,
    /// `EINTHOVEN_F32` ... `EINTHOVEN_BOOL`.
    pub dtype: u32,
}

/// What a model takes or gives under one name. Never changes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct TensorSpec {
    /// The tensor's name.
    pub name: Str,
    /// Dimensions; -1 where any size goes.
    pub dims: *const i64,
    /// How many `dims`.
    pub rank: u32,
    /// `EINTHOVEN_F32` ... `EINTHOVEN_BOOL`.
    pub dtype: u32,
}

/// Inputs and outputs of a model. Owned by the model, valid until `unload`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Signature {
    /// `sizeof` of this struct in the plugin.
    pub struct_size: u32,
    /// Minor version of the plugin.
    pub abi_minor: u32,
    /// Inputs in the model's order.
    pub inputs: *const TensorSpec,
    /// How many `inputs`.
    pub input_count: u64,
    /// Outputs in the model's order.
    pub outputs: *const TensorSpec,
    /// How many `outputs`.
    pub output_count: u64,
}

/// One file of a model. Never changes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ModelFile {
    /// Relative name, `/` between parts.
    pub name: Str,
    /// Its content.
    pub data: *const c_void,
    /// Bytes at `data`.
    pub len: u64,
}

/// The files of a model, verified by the host. An engine opens nothing else.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ModelPackage {
    /// `sizeof` of this struct in the host.
    pub struct_size: u32,
    /// Minor version of the host.
    pub abi_minor: u32,
    /// All files.
    pub files: *const ModelFile,
    /// How many `files`.
    pub file_count: u64,
    /// Name of the file to start from.
    pub entry: Str,
    /// Where the same files lie, for engines that can only read paths; may be empty.
    pub directory: Str,
    /// The model's engine section, a JSON object that fits the plugin's `config_schema`.
    pub config: Str,
}

/// Where an instance is to run.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Device {
    /// `sizeof` of this struct in the host.
    pub struct_size: u32,
    /// Minor version of the host.
    pub abi_minor: u32,
    /// `EINTHOVEN_CPU` or `EINTHOVEN_CUDA`.
    pub kind: u32,
    /// Which of that kind, from 0.
    pub ordinal: u32,
}

/// One batch, valid until `execute` returns.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// `sizeof` of this struct in the host.
    pub struct_size: u32,
    /// Minor version of the host.
    pub abi_minor: u32,
    /// To be handed to the functions below.
    pub ctx: *mut c_void,
    /// Inputs in any order; all have the same first dimension, one item per row.
    pub inputs: *const Tensor,
    /// How many `inputs`.
    pub input_count: u64,
    /// Nanoseconds from now until nobody waits any more; `UINT64_MAX` when there is no deadline.
    pub remaining_ns: u64,
    /// States why the whole batch is going to fail.
    pub set_error: Option<unsafe extern "C" fn(ctx: *mut c_void, message: Str)>,
    /// Asks for the buffer of one output: zeroed, aligned to 8 bytes, the host's, to be filled before `execute` returns.
    /// Fails with `EINTHOVEN_RESOURCE_EXHAUSTED` above the host's bound, `EINTHOVEN_INVALID_ARGUMENT` for a name asked for
    /// before, an unknown `dtype` or a negative dimension.
    pub output: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            name: Str,
            dtype: u32,
            dims: *const i64,
            rank: u32,
            out: *mut *mut c_void,
        ) -> i32,
    >,
    /// Marks one item as failed; the others still succeed. `code` is one of the status codes.
    pub fail_item: Option<unsafe extern "C" fn(ctx: *mut c_void, item: u64, code: i32, message: Str)>,
    /// Not 0 when nobody waits for the answer any more.
    pub cancelled: Option<unsafe extern "C" fn(ctx: *mut c_void) -> u32>,
}

/// An engine's functions. Owned by the plugin, valid until the process ends. None may be null.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct EngineApi {
    /// `sizeof` of this struct in the plugin.
    pub struct_size: u32,
    /// Minor version of the plugin.
    pub abi_minor: u32,
    /// Bits such as `EINTHOVEN_PARALLEL_LOAD`; the host ignores bits it does not know.
    pub capabilities: u64,
    /// Element types it takes and gives: bit `1 << EINTHOVEN_F32` and so on.
    pub dtypes: u64,
    /// Kinds of device it can use where they are there: bit `1 << EINTHOVEN_CPU` and so on.
    pub devices: u64,
    /// Opens the engine and finds its libraries. Called once.
    pub open: Option<unsafe extern "C" fn(setup: *const Setup, report: *const Report, engine: *mut *mut c_void) -> i32>,
    /// Frees the engine, after all its models.
    pub close: Option<unsafe extern "C" fn(engine: *mut c_void)>,
    /// Version of what runs underneath; valid until `close`.
    pub runtime: Option<unsafe extern "C" fn(engine: *mut c_void) -> Str>,
    /// Loads a model whole, or says why not before anything runs: `EINTHOVEN_UNSUPPORTED` naming nodes and operators it
    /// lacks, `EINTHOVEN_INVALID_ARGUMENT` for a corrupt file.
    pub load: Option<
        unsafe extern "C" fn(
            engine: *mut c_void,
            package: *const ModelPackage,
            report: *const Report,
            model: *mut *mut c_void,
        ) -> i32,
    >,
    /// Inputs and outputs of a model; valid until `unload`.
    pub signature: Option<unsafe extern "C" fn(model: *mut c_void) -> *const Signature>,
    /// Frees a model, after all its instances.
    pub unload: Option<unsafe extern "C" fn(model: *mut c_void)>,
    /// Makes one more copy that can run beside the others. `EINTHOVEN_UNAVAILABLE` when the device cannot be had.
    pub instance: Option<
        unsafe extern "C" fn(
            model: *mut c_void,
            device: *const Device,
            report: *const Report,
            instance: *mut *mut c_void,
        ) -> i32,
    >,
    /// What really computes (`cpu`, `CUDAExecutionProvider`); valid until `release`.
    pub provider: Option<unsafe extern "C" fn(instance: *mut c_void) -> Str>,
    /// Frees an instance.
    pub release: Option<unsafe extern "C" fn(instance: *mut c_void)>,
    /// Runs one batch. An error means that the whole batch failed and its outputs are not used.
    pub execute: Option<unsafe extern "C" fn(instance: *mut c_void, call: *const Call) -> i32>,
}
