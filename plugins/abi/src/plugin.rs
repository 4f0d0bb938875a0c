//! What all plugins have in common: the entry, the host's services, text and status codes.

use core::ffi::{c_char, c_void};

/// First part of the contract's version; it is the `1` in the entry's name.
pub const EINTHOVEN_ABI_MAJOR: u32 = 1;
/// Second part: how many times fields were appended.
pub const EINTHOVEN_ABI_MINOR: u32 = 0;

/// Done.
pub const EINTHOVEN_OK: i32 = 0;
/// A fault inside the plugin.
pub const EINTHOVEN_INTERNAL: i32 = 1;
/// The caller gave something that cannot be taken.
pub const EINTHOVEN_INVALID_ARGUMENT: i32 = 2;
/// A file, tensor or device of that name does not exist.
pub const EINTHOVEN_NOT_FOUND: i32 = 3;
/// The plugin lacks what the file needs; the message names it.
pub const EINTHOVEN_UNSUPPORTED: i32 = 4;
/// Not now; the same call may work later.
pub const EINTHOVEN_UNAVAILABLE: i32 = 5;
/// The caller gave up.
pub const EINTHOVEN_CANCELLED: i32 = 6;
/// The deadline passed.
pub const EINTHOVEN_DEADLINE_EXCEEDED: i32 = 7;
/// Memory or another bounded resource ran out.
pub const EINTHOVEN_RESOURCE_EXHAUSTED: i32 = 8;
/// A fault that leaves the instance in an unknown state: the host frees it and does not call it again.
pub const EINTHOVEN_POISONED: i32 = 9;

/// The plugin runs networks; `api` points to an `einthoven_engine_api`.
pub const EINTHOVEN_KIND_ENGINE: u32 = 1;
/// The plugin reads recordings; `api` points to an `einthoven_reader_api`.
pub const EINTHOVEN_KIND_READER: u32 = 2;

/// Something an operator must act on.
pub const EINTHOVEN_LOG_ERROR: u32 = 1;
/// Something that may become a problem.
pub const EINTHOVEN_LOG_WARN: u32 = 2;
/// What an operator wants to know.
pub const EINTHOVEN_LOG_INFO: u32 = 3;
/// What a developer wants to know.
pub const EINTHOVEN_LOG_DEBUG: u32 = 4;

/// Text: `len` bytes of UTF-8 at `ptr`, no closing NUL; `ptr` may be null when `len` is 0. Never changes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Str {
    /// First byte.
    pub ptr: *const c_char,
    /// Bytes.
    pub len: u64,
}

/// The host's services, valid until the process ends.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Host {
    /// `sizeof` of this struct in the host.
    pub struct_size: u32,
    /// Minor version of the host.
    pub abi_minor: u32,
    /// To be handed to the functions below.
    pub host: *mut c_void,
    /// Writes a line to the host's log, from any thread at any time. Never put a person's data or samples in it.
    pub log: Option<unsafe extern "C" fn(host: *mut c_void, level: u32, target: Str, message: Str)>,
}

/// Takes the sentence of a failure, valid for one call.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Report {
    /// `sizeof` of this struct in the host.
    pub struct_size: u32,
    /// Minor version of the host.
    pub abi_minor: u32,
    /// To be handed to the function below.
    pub ctx: *mut c_void,
    /// States why the call is going to fail: which thing, what was wrong, what to do. The host copies the text.
    pub set_error: Option<unsafe extern "C" fn(ctx: *mut c_void, message: Str)>,
}

/// A plugin's surroundings, valid for one call.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    /// `sizeof` of this struct in the host.
    pub struct_size: u32,
    /// Minor version of the host.
    pub abi_minor: u32,
    /// The folder in which the plugin's library lies; empty when it is linked into the host.
    pub directory: Str,
    /// The plugin's section of the host's configuration: a JSON object.
    pub config: Str,
}

/// What a plugin is. Owned by the plugin, valid until the process ends.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Plugin {
    /// `sizeof` of this struct in the plugin.
    pub struct_size: u32,
    /// Minor version the plugin was built with.
    pub abi_minor: u32,
    /// Lowest minor version of a host it can work with; an older host refuses it.
    pub requires_host_minor: u32,
    /// `EINTHOVEN_KIND_ENGINE` or `EINTHOVEN_KIND_READER`.
    pub kind: u32,
    /// Lower-case letters, digits and `-`.
    pub name: Str,
    /// Of the plugin.
    pub version: Str,
    /// Endings of the files it takes, lower case, without the dot.
    pub formats: *const Str,
    /// How many `formats`.
    pub format_count: u64,
    /// JSON Schema (2020-12) of a model's engine section; empty for a reader.
    pub config_schema: Str,
    /// The functions of its kind.
    pub api: *const c_void,
}

/// The only symbol a plugin exports, under the name `einthoven_plugin_entry_v1`.
///
/// Called once, before anything else; `out` is set to the plugin's description. Returns `EINTHOVEN_OK`, or
/// `EINTHOVEN_UNSUPPORTED` when it cannot work with this host. It must not start threads or open files.
pub type Entry = Option<unsafe extern "C" fn(host: *const Host, out: *mut *const Plugin) -> i32>;
