//! Kept recordings: what the page draws from, until the process ends, somebody deletes them, or room is needed.
//!
//! Samples lie in unlinked temporary files, so nothing of a recording outlives the process, however it ends.

mod levels;

use anyhow::Context;
use einthoven_classify::Document;
use einthoven_ecg::recording::Recording;
pub(crate) use levels::{Points, Signal};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of samples kept on disk; the oldest recordings leave first.
const SAMPLE_BYTES: u64 = 2 << 30;
/// Recordings kept at most; each lead of each holds an open file.
const MOST: usize = 16;
/// Bytes of documents kept in memory.
const DOCUMENT_BYTES: u64 = 64 << 20;

/// A kept recording.
pub(crate) struct Kept {
    pub(crate) id: String,
    /// The person's pseudonym, where one is known.
    pub(crate) subject: Option<String>,
    pub(crate) created: jiff::Timestamp,
    pub(crate) document: Document,
    /// The document as JSON, made once.
    pub(crate) json: bytes::Bytes,
    pub(crate) signals: Vec<Signal>,
}

impl Kept {
    fn sample_bytes(&self) -> u64 {
        self.signals.iter().map(Signal::bytes).sum()
    }
}

/// All kept recordings, oldest first.
pub(crate) struct Recordings {
    directory: PathBuf,
    kept: Mutex<VecDeque<Arc<Kept>>>,
}

impl Recordings {
    /// Keeps samples in temporary files in that folder, which is made if it is missing.
    ///
    /// # Errors
    /// When the folder cannot be made or written.
    pub(crate) fn in_directory(directory: PathBuf) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&directory)
            .and_then(|()| tempfile::tempfile_in(&directory))
            .with_context(|| {
                format!(
                    "the data folder `{}` cannot be written; choose one by --data",
                    directory.display()
                )
            })?;
        Ok(Self {
            directory,
            kept: Mutex::new(VecDeque::new()),
        })
    }

    /// Keeps a recording with its document, and lets the oldest go where room is needed.
    ///
    /// # Errors
    /// When the disk is full.
    pub(crate) fn keep(
        &self,
        recording: &Recording,
        mut document: Document,
        subject: Option<&str>,
    ) -> anyhow::Result<Arc<Kept>> {
        let id = format!("r_{}", uuid::Uuid::now_v7().simple());
        document.id = Some(id.clone());
        let signals = recording
            .leads
            .iter()
            .map(|lead| Signal::write(&self.directory, lead, recording.sampling_rate_hz))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let json = serde_json::to_vec(&document)?.into();
        let kept = Arc::new(Kept {
            id,
            subject: subject.map(str::to_owned),
            created: jiff::Timestamp::now(),
            document,
            json,
            signals,
        });
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        all.push_back(Arc::clone(&kept));
        while all.len() > 1
            && (all.len() > MOST
                || all.iter().map(|kept| kept.sample_bytes()).sum::<u64>() > SAMPLE_BYTES
                || all.iter().map(|kept| kept.json.len() as u64).sum::<u64>() > DOCUMENT_BYTES)
        {
            all.pop_front();
        }
        Ok(kept)
    }

    /// The recording of that id.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<Kept>> {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .find(|kept| kept.id == id)
            .cloned()
    }

    /// All of them, newest first.
    pub(crate) fn list(&self) -> Vec<Arc<Kept>> {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .rev()
            .cloned()
            .collect()
    }

    /// Lets all of a person go; how many there were.
    pub(crate) fn forget_person(&self, subject: &str) -> usize {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.len();
        all.retain(|kept| kept.subject.as_deref() != Some(subject));
        before - all.len()
    }

    /// Lets one go; false when there was none of that id.
    pub(crate) fn forget(&self, id: &str) -> bool {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.len();
        all.retain(|kept| kept.id != id);
        all.len() < before
    }
}
