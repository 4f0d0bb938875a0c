//! A [`Reader`] behind the functions of [`ReaderApi`].

use super::{Cell, caught, described, free, give, plugin, refused, state, text};
use crate::failure::Failure;
use crate::reader::{InputFile, ReadHints, Reader, RecordingSink};
use einthoven_plugin_abi::plugin::{
    EINTHOVEN_ABI_MINOR, EINTHOVEN_INVALID_ARGUMENT, EINTHOVEN_KIND_READER, EINTHOVEN_OK, Host, Plugin, Report, Setup,
};
use einthoven_plugin_abi::reader::{self as abi, ReaderApi};
use std::ffi::c_void;
use std::marker::PhantomData;
use std::mem::size_of;
use std::ptr;

/// The body of the entry that [`export_reader!`](crate::export_reader) makes.
///
/// # Safety
/// `out` is null or may be written to.
pub unsafe fn reader_entry<R: Reader>(cell: &'static Cell, host: *const Host, out: *mut *const Plugin) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        described(cell, host, out, || {
            let info = R::INFO;
            let api = ptr::from_ref::<ReaderApi>(Table::<R>::API).cast();
            plugin(EINTHOVEN_KIND_READER, (info.name, info.version), info.formats, "", api)
        })
    }
}

/// The entry of a reader that is linked into the host, for `Plugin::linked`.
///
/// It is no symbol: a binary into which two plugins were linked would hold the exported one twice.
///
/// # Safety
/// As for an exported entry: `out` is null or may be written to, `host` is null or lives until the process ends.
pub unsafe extern "C" fn linked_reader<R: Reader>(host: *const Host, out: *mut *const Plugin) -> i32 {
    // A description lives until the process ends; a host asks for it once.
    let cell: &'static Cell = Box::leak(Box::default());
    // SAFETY: the host's own pointers are passed on.
    unsafe { reader_entry::<R>(cell, host, out) }
}

struct Table<R>(PhantomData<R>);

impl<R: Reader> Table<R> {
    const API: &'static ReaderApi = &ReaderApi {
        struct_size: size_of::<ReaderApi>() as u32,
        abi_minor: EINTHOVEN_ABI_MINOR,
        open: Some(open::<R>),
        close: Some(close::<R>),
        recognises: Some(recognises::<R>),
        read: Some(read::<R>),
    };
}

unsafe extern "C" fn open<R: Reader>(setup: *const Setup, report: *const Report, out: *mut *mut c_void) -> i32 {
    // SAFETY: the host's pointers, valid during the call.
    let made = caught(|| unsafe { text::with_setup(setup, R::open) });
    // SAFETY: as above.
    unsafe { give(made, report, out) }
}

unsafe extern "C" fn close<R: Reader>(reader: *mut c_void) {
    // SAFETY: made by `open` for this type, and freed once.
    unsafe { free::<R>(reader) };
}

unsafe extern "C" fn recognises<R: Reader>(reader: *mut c_void, files: *const abi::InputFile, count: u64) -> u32 {
    let answer = caught(|| {
        // SAFETY: made by `open` for this type; the files live during the call.
        let (reader, files) = unsafe { (reader.cast::<R>().as_ref(), borrow(files, count)?) };
        Ok(reader.is_some_and(|reader| reader.recognises(&files)))
    });
    u32::from(answer.unwrap_or(false))
}

unsafe extern "C" fn read<R: Reader>(reader: *mut c_void, read: *const abi::Read) -> i32 {
    // SAFETY: made by `open` for this type; the reading lives until we return.
    let (reader, read) = unsafe { (reader.cast::<R>().as_ref(), text::known_part(read)) };
    let (Some(reader), Some(read)) = (reader, read) else {
        return EINTHOVEN_INVALID_ARGUMENT;
    };
    let done = caught(|| {
        // SAFETY: the reading's parts live as long as the reading.
        let (files, record) = unsafe { (borrow(read.files, read.file_count)?, text::borrow(read.record)?) };
        let hints = ReadHints {
            sampling_rate_hz: (read.sampling_rate_hz > 0.0).then_some(read.sampling_rate_hz),
            millivolts_per_unit: (read.millivolts_per_unit > 0.0).then_some(read.millivolts_per_unit),
            record: (!record.is_empty()).then(|| record.to_owned()),
        };
        reader.read(&files, &hints, &mut HostSink { read: &read })
    });
    match done {
        Ok(()) => EINTHOVEN_OK,
        // SAFETY: the host's function with its own context.
        Err(failure) => unsafe { state(&failure, read.ctx, read.set_error) },
    }
}

/// # Safety
/// `files` leads to `count` files that live for `'a`.
unsafe fn borrow<'a>(files: *const abi::InputFile, count: u64) -> Result<Vec<InputFile<'a>>, Failure> {
    // SAFETY: the caller's promise.
    let files = unsafe { text::slice(files, count) };
    let file = |file: &abi::InputFile| {
        // SAFETY: as above.
        let (name, bytes) = unsafe { (text::borrow(file.name)?, text::slice(file.data.cast::<u8>(), file.len)) };
        Ok(InputFile { name, bytes })
    };
    files.iter().map(file).collect()
}

/// The host's side of a reading, behind its functions.
struct HostSink<'a> {
    read: &'a abi::Read,
}

impl RecordingSink for HostSink<'_> {
    fn begin(&mut self, record: &str, sampling_rate_hz: f64) -> Result<(), Failure> {
        let begin = self
            .read
            .begin
            .ok_or_else(|| Failure::internal("the host takes no recording"))?;
        // SAFETY: the host's function with its own context; the text outlives the call.
        let code = unsafe { begin(self.read.ctx, text::lend(record), sampling_rate_hz) };
        refused(code, || {
            format!("the host refuses a recording at {sampling_rate_hz} Hz")
        })
    }

    fn lead(&mut self, name: &str, samples: usize, rails_mv: Option<(f32, f32)>) -> Result<&mut [f32], Failure> {
        let lead = self
            .read
            .lead
            .ok_or_else(|| Failure::internal("the host takes no leads"))?;
        let (low, high) = rails_mv.unwrap_or((f32::NAN, f32::NAN));
        let mut buffer = ptr::null_mut();
        // SAFETY: the host's function with its own context; all pointers live during the call.
        let code = unsafe {
            lead(
                self.read.ctx,
                text::lend(name),
                samples as u64,
                low,
                high,
                &raw mut buffer,
            )
        };
        refused(code, || format!("the host refuses lead `{name}` of {samples} samples"))?;
        if samples == 0 || buffer.is_null() {
            return Ok(&mut []);
        }
        // SAFETY: the host promises `samples` zeroed values that are ours until `read` returns, a new buffer every time.
        Ok(unsafe { std::slice::from_raw_parts_mut(buffer, samples) })
    }

    fn flag(&mut self, code: &str, detail: &str) {
        if let Some(flag) = self.read.flag {
            // SAFETY: the host's function with its own context; the texts outlive the call.
            unsafe { flag(self.read.ctx, text::lend(code), text::lend(detail)) };
        }
    }
}
