//! Readers as the rest of the product sees them: files in, leads in millivolts out.

use crate::plugin::{Api, Plugin, PluginError};
use crate::report::{made, sentence};
use einthoven_plugin_abi::plugin::{
    EINTHOVEN_ABI_MINOR, EINTHOVEN_INTERNAL, EINTHOVEN_INVALID_ARGUMENT, EINTHOVEN_OK, EINTHOVEN_RESOURCE_EXHAUSTED,
    Setup, Str,
};
use einthoven_plugin_abi::reader::{InputFile as RawFile, Read, ReaderApi};
use einthoven_plugin_abi::view::lend;
use einthoven_plugin_sdk::{Code, Failure, InputFile, ReadHints};
use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

/// All readers of this process that came as plugins, in the order in which they are asked.
#[derive(Clone, Default)]
pub struct Readers {
    readers: Vec<Arc<OpenReader>>,
}

/// What one reading may take.
#[derive(Debug, Clone, Copy)]
pub struct ReadBounds {
    /// Leads times samples; four bytes each.
    pub max_samples: u64,
    /// Leads.
    pub max_leads: usize,
}

/// What a reader gave, before anybody believes it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadRecording {
    /// Which reader made it.
    pub reader: String,
    /// The record's name.
    pub record: String,
    /// Above zero and finite.
    pub sampling_rate_hz: f64,
    /// At least one, all of one length.
    pub leads: Vec<ReadLead>,
    /// Stable codes and sentences.
    pub flags: Vec<(String, String)>,
}

/// One lead of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadLead {
    /// As the file names it.
    pub name: String,
    /// Millivolts; NaN where the recorder marked the sample invalid.
    pub samples_mv: Vec<f32>,
    /// The converter's lowest and highest value, where the format says.
    pub rails_mv: Option<(f32, f32)>,
}

struct OpenReader {
    plugin: Plugin,
    api: Functions,
    reader: *mut c_void,
}

#[derive(Clone, Copy)]
struct Functions {
    close: unsafe extern "C" fn(*mut c_void),
    recognises: unsafe extern "C" fn(*mut c_void, *const RawFile, u64) -> u32,
    read: unsafe extern "C" fn(*mut c_void, *const Read) -> i32,
}

// SAFETY: the contract lets the host call a reader from several threads at once.
unsafe impl Send for OpenReader {}
// SAFETY: as above.
unsafe impl Sync for OpenReader {}

impl Drop for OpenReader {
    fn drop(&mut self) {
        // SAFETY: opened by the same table and not closed before.
        unsafe { (self.api.close)(self.reader) };
    }
}

impl Readers {
    /// Adds and opens a reader.
    ///
    /// # Errors
    /// [`PluginError::Contract`] when the plugin is no reader, lacks a function or does not open.
    pub fn add(&mut self, plugin: Plugin) -> Result<(), PluginError> {
        let path = plugin
            .library
            .as_ref()
            .map_or("a linked-in plugin".into(), |library| library.path.clone());
        let broken = |cause: String| PluginError::Contract {
            path: path.clone(),
            cause,
        };
        let Api::Reader(ReaderApi {
            open,
            close,
            recognises,
            read,
            ..
        }) = plugin.api
        else {
            return Err(broken("it is no reader".to_owned()));
        };
        let (Some(open), Some(close), Some(recognises), Some(read)) = (open, close, recognises, read) else {
            return Err(broken("one of its functions is null".to_owned()));
        };
        let directory = plugin
            .directory()
            .map(|path| path.to_string_lossy().into_owned())
            .unwrap_or_default();
        let setup = Setup {
            struct_size: size_of::<Setup>() as u32,
            abi_minor: EINTHOVEN_ABI_MINOR,
            directory: lend(&directory),
            config: lend("{}"),
        };
        // SAFETY: the reader's function; all it is given lives during the call.
        let reader = made("open", |report, out| unsafe { open(&raw const setup, report, out) })
            .map_err(|failure| broken(failure.to_string()))?;
        let api = Functions {
            close,
            recognises,
            read,
        };
        self.readers.push(Arc::new(OpenReader { plugin, api, reader }));
        Ok(())
    }

    /// The plugins behind it.
    pub fn plugins(&self) -> impl Iterator<Item = &Plugin> {
        self.readers.iter().map(|reader| &reader.plugin)
    }

    /// Reads with the first reader that recognises the files; `None` when none does.
    ///
    /// # Errors
    /// The reader's own failure; `ResourceExhausted` above the bounds; `Internal` when it reports success without a lead.
    pub fn read(
        &self,
        files: &[InputFile<'_>],
        hints: &ReadHints,
        bounds: &ReadBounds,
    ) -> Option<Result<ReadRecording, Failure>> {
        let raw: Vec<_> = files
            .iter()
            .map(|file| RawFile {
                name: lend(file.name),
                data: file.bytes.as_ptr().cast(),
                len: file.bytes.len() as u64,
            })
            .collect();
        // SAFETY: the reader is open; the files live during the call.
        let knows = |reader: &&Arc<OpenReader>| unsafe {
            (reader.api.recognises)(reader.reader, raw.as_ptr(), raw.len() as u64) != 0
        };
        let reader = self.readers.iter().find(knows)?;
        Some(reader.read(&raw, hints, bounds))
    }
}

struct Context {
    bounds: ReadBounds,
    answer: Mutex<Answer>,
}

#[derive(Default)]
struct Answer {
    begun: Option<(String, f64)>,
    leads: Vec<ReadLead>,
    flags: Vec<(String, String)>,
    said: String,
}

/// Flags of one reading that are kept.
const MOST_FLAGS: usize = 256;

impl OpenReader {
    fn read(&self, files: &[RawFile], hints: &ReadHints, bounds: &ReadBounds) -> Result<ReadRecording, Failure> {
        let context = Context {
            bounds: *bounds,
            answer: Mutex::default(),
        };
        let read = Read {
            struct_size: size_of::<Read>() as u32,
            abi_minor: EINTHOVEN_ABI_MINOR,
            ctx: ptr::from_ref(&context).cast_mut().cast(),
            files: files.as_ptr(),
            file_count: files.len() as u64,
            sampling_rate_hz: hints.sampling_rate_hz.unwrap_or(0.0),
            millivolts_per_unit: hints.millivolts_per_unit.unwrap_or(0.0),
            record: lend(hints.record.as_deref().unwrap_or("")),
            set_error: Some(set_error),
            begin: Some(begin),
            lead: Some(lead),
            flag: Some(flag),
        };
        // SAFETY: the reader is open; everything the reading leads to lives until it returns.
        let status = unsafe { (self.api.read)(self.reader, &raw const read) };
        let answer = context.answer.into_inner().unwrap_or_else(PoisonError::into_inner);
        if status != EINTHOVEN_OK {
            let text = if answer.said.is_empty() {
                format!(
                    "reader `{}` failed with status {status} and said nothing",
                    self.plugin.name
                )
            } else {
                answer.said
            };
            return Err(Failure::new(Code::from_status(status), text));
        }
        let (Some((record, sampling_rate_hz)), false) = (answer.begun, answer.leads.is_empty()) else {
            let text = format!("reader `{}` reports success but gave no lead", self.plugin.name);
            return Err(Failure::internal(text));
        };
        Ok(ReadRecording {
            reader: self.plugin.name.clone(),
            record,
            sampling_rate_hz,
            leads: answer.leads,
            flags: answer.flags,
        })
    }
}

/// # Safety
/// `ctx` is the context of a reading that has not returned.
unsafe fn with<T>(ctx: *mut c_void, work: impl FnOnce(&mut Answer, &ReadBounds) -> T) -> Option<T> {
    // SAFETY: the caller's promise; the reader only ever sees it through this pointer.
    let context = unsafe { ctx.cast::<Context>().as_ref() }?;
    let mut answer = context.answer.lock().unwrap_or_else(PoisonError::into_inner);
    Some(work(&mut answer, &context.bounds))
}

unsafe extern "C" fn set_error(ctx: *mut c_void, message: Str) {
    // SAFETY: our own context; the reader's text lives during the call.
    unsafe { with(ctx, |answer, _| answer.said = sentence(message)) };
}

unsafe extern "C" fn begin(ctx: *mut c_void, record: Str, sampling_rate_hz: f64) -> i32 {
    if !(sampling_rate_hz > 0.0 && sampling_rate_hz.is_finite()) {
        return EINTHOVEN_INVALID_ARGUMENT;
    }
    // SAFETY: our own context; the reader's text lives during the call.
    let status = unsafe {
        with(ctx, |answer, _| {
            if answer.begun.is_some() {
                return EINTHOVEN_INVALID_ARGUMENT;
            }
            answer.begun = Some((sentence(record), sampling_rate_hz));
            EINTHOVEN_OK
        })
    };
    status.unwrap_or(EINTHOVEN_INTERNAL)
}

unsafe extern "C" fn lead(
    ctx: *mut c_void,
    name: Str,
    samples: u64,
    low_mv: f32,
    high_mv: f32,
    out: *mut *mut f32,
) -> i32 {
    if out.is_null() {
        return EINTHOVEN_INVALID_ARGUMENT;
    }
    // SAFETY: our own context; the reader's text lives during the call and it lets us write to `out`.
    let status = unsafe {
        with(ctx, |answer, bounds| {
            let first = answer.leads.first().map(|lead| lead.samples_mv.len() as u64);
            if answer.begun.is_none() || first.is_some_and(|first| first != samples) {
                return EINTHOVEN_INVALID_ARGUMENT;
            }
            let whole = (answer.leads.len() as u64 + 1).saturating_mul(samples);
            let Some(length) = usize::try_from(samples).ok().filter(|_| whole <= bounds.max_samples) else {
                return EINTHOVEN_RESOURCE_EXHAUSTED;
            };
            if answer.leads.len() >= bounds.max_leads {
                return EINTHOVEN_RESOURCE_EXHAUSTED;
            }
            let mut lead = ReadLead {
                name: sentence(name),
                samples_mv: vec![0.0; length],
                rails_mv: (low_mv < high_mv).then_some((low_mv, high_mv)),
            };
            // The buffer stays where it is when the lead moves into the list.
            *out = lead.samples_mv.as_mut_ptr();
            answer.leads.push(lead);
            EINTHOVEN_OK
        })
    };
    status.unwrap_or(EINTHOVEN_INTERNAL)
}

unsafe extern "C" fn flag(ctx: *mut c_void, code: Str, detail: Str) {
    // SAFETY: our own context; the reader's texts live during the call.
    unsafe {
        with(ctx, |answer, _| {
            if answer.flags.len() < MOST_FLAGS {
                answer.flags.push((sentence(code), sentence(detail)));
            }
        })
    };
}
