//! A request on its way to an answer, as its entry will tell of it.

use super::{Here, borrowed, bundle, stated};
use crate::input::{InputError, Request, read};
use einthoven_ecg::readers::Reading;
use einthoven_journal::Entry;
use einthoven_journal::replay::digest;
use einthoven_plugin_host::Readers;
use jiff::Timestamp;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// What was asked, by whom and when.
pub(crate) struct Asked {
    pub(super) id: Uuid,
    pub(super) at: Timestamp,
    pub(super) began: Instant,
    pub(super) principal: String,
    /// The person that it is about, who is not erased unnoticed while this is held.
    pub(super) here: Option<Arc<Here>>,
    pub(super) read: Duration,
    /// SHA-256 of what was sent.
    pub(super) input: String,
    pub(super) parameters: BTreeMap<String, String>,
    /// Files and wishes together, where the recording is to be kept.
    pub(super) bundle: Option<Vec<u8>>,
}

impl Asked {
    pub(super) fn new(principal: &str, here: Option<Arc<Here>>) -> Self {
        Self {
            id: Uuid::now_v7(),
            at: Timestamp::now(),
            began: Instant::now(),
            principal: principal.to_owned(),
            here,
            read: Duration::ZERO,
            input: String::new(),
            parameters: BTreeMap::new(),
            bundle: None,
        }
    }
}

impl Asked {
    /// A pseudonym.
    pub(super) fn subject(&self) -> Option<String> {
        self.here.as_ref().map(|here| here.subject().to_owned())
    }

    /// To be held until the entry is recorded.
    pub(crate) fn here(&self) -> Option<Arc<Here>> {
        self.here.clone()
    }

    /// The same asked of a version that computes beside the one that answered.
    pub(crate) fn beside(entry: &Entry, here: Option<Arc<Here>>) -> Self {
        Self {
            input: entry.digests.input.clone(),
            parameters: entry.parameters.clone(),
            ..Self::new(&entry.principal, here)
        }
    }
}

/// Whole microseconds.
pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Reads files and notes what they were; `keeps` says that the recording is to be kept.
pub(crate) fn read_noted(
    asked: &mut Option<Asked>,
    files: Vec<(String, Cow<'static, [u8]>)>,
    request: &Request,
    readers: &Readers,
    keeps: bool,
) -> Result<Reading, InputError> {
    let Some(asked) = asked else {
        return read(files, request, readers);
    };
    let began = Instant::now();
    let reading = read(borrowed(&files), request, readers)?;
    asked.read = began.elapsed();
    asked.input = input(&files);
    asked.parameters = stated(request);
    asked.bundle = keeps.then(|| bundle::packed(&files, request));
    Ok(reading)
}

/// The file's own digest, or that of the digests of several, whatever they are called and in whatever order they came.
fn input(files: &[(String, Cow<'static, [u8]>)]) -> String {
    let mut digests: Vec<String> = files.iter().map(|(_, bytes)| digest(bytes)).collect();
    if let ([_], Some(only)) = (files, digests.first()) {
        return only.clone();
    }
    digests.sort_unstable();
    digest(digests.join("\n").as_bytes())
}
