//! Appending to the file.

use super::{FileLog, Position, locked};
use crate::{Entry, Head, LogError, line};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::PoisonError;

/// The file that is written, and locked while this lives.
#[derive(Debug)]
pub(super) struct Writer {
    file: File,
    /// The failure after which it is not known what is on disk.
    stopped: Option<String>,
}

impl Writer {
    pub(super) fn new(file: File) -> Self {
        Self { file, stopped: None }
    }

    /// Writes a text at a position, durably.
    fn put(&mut self, text: &str, at: u64) -> Result<(), Failure> {
        if let Err(cause) = self.file.write_all_at(text.as_bytes(), at) {
            // The beginning that was written must not stay: it would stand before what is appended next.
            return match self.file.set_len(at).and_then(|()| self.file.sync_all()) {
                Ok(()) => Err(Failure::TakenBack(cause)),
                Err(second) => Err(self.stop(format!("{cause}, and taking it back failed: {second}"))),
            };
        }
        if let Err(cause) = self.file.sync_data() {
            // The kernel may count the pages as written now, so no second sync is believed. What was not acknowledged is
            // taken out for whoever opens the file next.
            let _ = self.file.set_len(at);
            return Err(self.stop(format!("it could not be brought to disk: {cause}")));
        }
        Ok(())
    }

    fn stop(&mut self, cause: String) -> Failure {
        self.stopped = Some(cause.clone());
        Failure::Stopped(cause)
    }
}

enum Failure {
    TakenBack(io::Error),
    Stopped(String),
}

impl FileLog {
    pub(super) fn append_blocking(&self, after: Head, bodies: Vec<String>) -> Result<Vec<Entry>, LogError> {
        let Some(writer) = &self.0.writer else {
            return Err(LogError::ReadOnly {
                folder: self.0.folder.clone(),
            });
        };
        let mut writer = locked(writer);
        let path = || self.0.path.clone();
        if let Some(cause) = writer.stopped.clone() {
            return Err(LogError::Stopped { path: path(), cause });
        }
        let end = self.end();
        if end.head != after {
            return Err(LogError::Moved { head: end.head });
        }
        let entries = Entry::chain(after, bodies)?;
        let Some(last) = entries.last() else {
            return Ok(entries);
        };
        let mut text = String::new();
        let starts = line::write(&mut text, &entries);
        writer.put(&text, end.offset).map_err(|failure| match failure {
            Failure::TakenBack(cause) => LogError::io("write", path())(cause),
            Failure::Stopped(cause) => LogError::Stopped { path: path(), cause },
        })?;
        let mut index = self.0.index.write().unwrap_or_else(PoisonError::into_inner);
        index.starts.extend(starts.iter().map(|start| end.offset + start));
        index.end = Position {
            head: last.head(),
            offset: end.offset + text.len() as u64,
        };
        drop(index);
        self.0.newest.send_replace(last.seq);
        Ok(entries)
    }
}
