//! A reader's C functions.

use super::{Framed, Handle, Open, Refusal, Size, copied};
use einthoven_plugin_abi::plugin::{
    EINTHOVEN_ABI_MINOR, EINTHOVEN_INTERNAL, EINTHOVEN_INVALID_ARGUMENT, EINTHOVEN_OK, EINTHOVEN_RESOURCE_EXHAUSTED,
    Str,
};
use einthoven_plugin_abi::reader::{InputFile, Read, ReaderApi};
use einthoven_plugin_abi::view::lend;
use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr;
use std::sync::{Mutex, PoisonError};

/// A reader's functions, none of them null.
#[derive(Clone, Copy)]
pub(crate) struct Functions {
    pub(crate) open: Open,
    pub(crate) close: unsafe extern "C" fn(*mut c_void),
    recognises: unsafe extern "C" fn(*mut c_void, *const InputFile, u64) -> u32,
    read: unsafe extern "C" fn(*mut c_void, *const Read) -> i32,
}

/// How a recording is to be read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct How {
    pub(crate) size: Size,
    pub(crate) null_files: bool,
    pub(crate) refuse_leads: bool,
    pub(crate) sampling_rate_hz: f64,
    pub(crate) millivolts_per_unit: f64,
    pub(crate) record: &'static [u8],
}

/// What a reading gave.
#[derive(Default)]
pub(crate) struct Recording {
    pub(crate) refusal: Refusal,
    pub(crate) begun: bool,
    pub(crate) leads: Vec<(Vec<u8>, Vec<f32>)>,
}

struct Context {
    how: How,
    recording: Mutex<Recording>,
}

/// Samples of all leads above which the host refuses.
const MOST_SAMPLES: u64 = 1 << 28;

impl Functions {
    pub(crate) fn of(api: &ReaderApi) -> Result<Self, String> {
        let null = |name: &str| format!("its function `{name}` is null");
        Ok(Self {
            open: api.open.ok_or_else(|| null("open"))?,
            close: api.close.ok_or_else(|| null("close"))?,
            recognises: api.recognises.ok_or_else(|| null("recognises"))?,
            read: api.read.ok_or_else(|| null("read"))?,
        })
    }

    pub(crate) fn recognises(&self, reader: Handle, files: &[(&str, &[u8])], null: bool) -> bool {
        let files = lent(files);
        let first = if null { ptr::null() } else { files.as_ptr() };
        // SAFETY: the plugin's function; what is not null is good during the call.
        unsafe { (self.recognises)(reader.0, first, files.len() as u64) != 0 }
    }

    pub(crate) fn read(&self, reader: Handle, files: &[(&str, &[u8])], how: &How) -> Recording {
        let files = lent(files);
        let context = Context {
            how: *how,
            recording: Mutex::default(),
        };
        let short = how.size == Size::Short;
        let table = Read {
            struct_size: 0,
            abi_minor: EINTHOVEN_ABI_MINOR,
            ctx: ptr::from_ref(&context).cast_mut().cast(),
            files: if how.null_files { ptr::null() } else { files.as_ptr() },
            file_count: files.len() as u64,
            sampling_rate_hz: how.sampling_rate_hz,
            millivolts_per_unit: how.millivolts_per_unit,
            record: Str {
                ptr: how.record.as_ptr().cast(),
                len: how.record.len() as u64,
            },
            set_error: Some(set_error),
            begin: Some(if short { begin_beyond } else { begin }),
            lead: Some(lead),
            flag: Some(flag),
        };
        let framed = Framed::new(&table, how.size, offset_of!(Read, begin));
        // SAFETY: the plugin's function; what is not null is good during the call.
        let status = unsafe { (self.read)(reader.0, framed.ptr(how.size)) };
        let mut recording = context.recording.into_inner().unwrap_or_else(PoisonError::into_inner);
        recording.refusal.status = status;
        recording
    }
}

fn lent(files: &[(&str, &[u8])]) -> Vec<InputFile> {
    let one = |(name, bytes): &(&str, &[u8])| InputFile {
        name: lend(name),
        data: if bytes.is_empty() {
            ptr::null()
        } else {
            bytes.as_ptr().cast()
        },
        len: bytes.len() as u64,
    };
    files.iter().map(one).collect()
}

/// # Safety
/// `ctx` is the context of a reading that has not returned.
unsafe fn with<T>(ctx: *mut c_void, work: impl FnOnce(&mut Recording, &How) -> T) -> Option<T> {
    // SAFETY: the caller's promise.
    let context = unsafe { ctx.cast::<Context>().as_ref() }?;
    let mut recording = context.recording.lock().unwrap_or_else(PoisonError::into_inner);
    Some(work(&mut recording, &context.how))
}

unsafe extern "C" fn set_error(ctx: *mut c_void, message: Str) {
    // SAFETY: our own context; the text lives during the call.
    unsafe { with(ctx, |recording, _| recording.refusal.said = Some(copied(message))) };
}

unsafe extern "C" fn begin(ctx: *mut c_void, _: Str, sampling_rate_hz: f64) -> i32 {
    // SAFETY: our own context.
    let first = unsafe { with(ctx, |recording, _| !std::mem::replace(&mut recording.begun, true)) };
    if first == Some(true) && sampling_rate_hz > 0.0 && sampling_rate_hz.is_finite() {
        EINTHOVEN_OK
    } else {
        EINTHOVEN_INVALID_ARGUMENT
    }
}

unsafe extern "C" fn begin_beyond(ctx: *mut c_void, _: Str, _: f64) -> i32 {
    // SAFETY: our own context.
    unsafe { with(ctx, |recording, _| recording.refusal.beyond = true) };
    EINTHOVEN_INTERNAL
}

unsafe extern "C" fn lead(ctx: *mut c_void, name: Str, samples: u64, _: f32, _: f32, out: *mut *mut f32) -> i32 {
    if out.is_null() {
        return EINTHOVEN_INVALID_ARGUMENT;
    }
    // SAFETY: our own context; the name lives during the call and `out` may be written to.
    let status = unsafe {
        with(ctx, |recording, how| {
            let first = recording.leads.first().map(|(_, values)| values.len() as u64);
            if !recording.begun || first.is_some_and(|first| first != samples) {
                return EINTHOVEN_INVALID_ARGUMENT;
            }
            let whole = (recording.leads.len() as u64 + 1).saturating_mul(samples);
            if how.refuse_leads || whole > MOST_SAMPLES || recording.leads.len() > 1024 {
                return EINTHOVEN_RESOURCE_EXHAUSTED;
            }
            let mut values = vec![0.0_f32; samples as usize];
            // The buffer stays where it is when the vector moves.
            *out = values.as_mut_ptr();
            recording.leads.push((copied(name), values));
            EINTHOVEN_OK
        })
    };
    status.unwrap_or(EINTHOVEN_INTERNAL)
}

unsafe extern "C" fn flag(_: *mut c_void, _: Str, _: Str) {}
