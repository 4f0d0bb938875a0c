//! A plugin that reads recordings from files.

use crate::plugin::{Report, Setup, Str};
use core::ffi::c_void;

/// One uploaded file. Never changes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct InputFile {
    /// The last component of the name it was uploaded under.
    pub name: Str,
    /// Its content.
    pub data: *const c_void,
    /// Bytes at `data`.
    pub len: u64,
}

/// One reading, valid until `read` returns.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Read {
    /// `sizeof` of this struct in the host.
    pub struct_size: u32,
    /// Minor version of the host.
    pub abi_minor: u32,
    /// To be handed to the functions below.
    pub ctx: *mut c_void,
    /// All files of one upload.
    pub files: *const InputFile,
    /// How many `files`.
    pub file_count: u64,
    /// Samples per second as the caller states it; 0 when not stated.
    pub sampling_rate_hz: f64,
    /// Millivolts in one unit of the samples as the caller states it; 0 when not stated.
    pub millivolts_per_unit: f64,
    /// Which recording, where the files hold several; empty when not stated.
    pub record: Str,
    /// States why the reading is going to fail: which field of which file, and how to give it.
    pub set_error: Option<unsafe extern "C" fn(ctx: *mut c_void, message: Str)>,
    /// States the record's name (never a person's) and its sampling rate, above 0; first, and once.
    pub begin: Option<unsafe extern "C" fn(ctx: *mut c_void, record: Str, sampling_rate_hz: f64) -> i32>,
    /// Asks for the buffer of the next lead: `samples` zeros, the host's, to be filled with millivolts, NaN where the
    /// recorder marked a sample invalid. `low_mv` and `high_mv` are the converter's rails, NaN where the format does not say.
    /// All leads have one length.
    pub lead: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            name: Str,
            samples: u64,
            low_mv: f32,
            high_mv: f32,
            out: *mut *mut f32,
        ) -> i32,
    >,
    /// Something noticed that does not stop the reading: a stable `snake_case` code and one sentence.
    pub flag: Option<unsafe extern "C" fn(ctx: *mut c_void, code: Str, detail: Str)>,
}

/// A reader's functions. Owned by the plugin, valid until the process ends. None may be null. All may be called from
/// several threads at once.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ReaderApi {
    /// `sizeof` of this struct in the plugin.
    pub struct_size: u32,
    /// Minor version of the plugin.
    pub abi_minor: u32,
    /// Opens the reader. Called once.
    pub open: Option<unsafe extern "C" fn(setup: *const Setup, report: *const Report, reader: *mut *mut c_void) -> i32>,
    /// Frees the reader.
    pub close: Option<unsafe extern "C" fn(reader: *mut c_void)>,
    /// Not 0 when the files' content is of its format.
    pub recognises: Option<unsafe extern "C" fn(reader: *mut c_void, files: *const InputFile, file_count: u64) -> u32>,
    /// Reads one recording.
    pub read: Option<unsafe extern "C" fn(reader: *mut c_void, read: *const Read) -> i32>,
}
