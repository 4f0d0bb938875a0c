//! Copies for backups and restores.

use crate::file::{blocking, make, sync_folder};
use crate::{ChainBroken, Entry, FILE, Head, Log, LogError, diagnose, line};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// Entries that are held in memory at once.
const PAGE: usize = 1_000;

impl Log {
    /// Copies the log up to a head into a folder, while appends go on. The copy is a log of its own, which
    /// [`crate::FileLog::open`] opens; it is there wholly or not at all.
    ///
    /// # Errors
    /// [`LogError::NotEmpty`] when the folder holds a log, [`LogError::NoSuchHead`], [`LogError::Broken`] when what is
    /// copied is not sound, [`LogError::Io`], and what [`Log::read`] gives.
    pub async fn copy_to(&self, folder: impl Into<PathBuf>, upto: Head) -> Result<(), LogError> {
        let folder = folder.into();
        let path = folder.join(FILE);
        let partial = folder.join(format!("{FILE}.partial"));
        let (target, named) = (folder.clone(), partial.clone());
        let present = path.clone();
        let mut file = blocking(move || {
            make(&target)?;
            if present.exists() {
                return Err(LogError::NotEmpty {
                    target: present.display().to_string(),
                });
            }
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            options.open(&named).map_err(LogError::io("open", &named))
        })
        .await?;
        let mut pages = Pages::new(self, upto);
        while let Some(page) = pages.next().await? {
            let named = partial.clone();
            file = blocking(move || write_page(file, &page).map_err(LogError::io("write", named))).await?;
        }
        blocking(move || {
            file.sync_all().map_err(LogError::io("sync", &partial))?;
            fs::rename(&partial, &path).map_err(LogError::io("rename", &partial))?;
            sync_folder(&folder)
        })
        .await
    }
}

fn write_page(mut file: File, page: &[Entry]) -> std::io::Result<File> {
    let mut text = String::new();
    // The steps in which they were appended do not matter any more: the copy appears as a whole.
    for entry in page {
        line::write(&mut text, std::slice::from_ref(entry));
    }
    file.write_all(text.as_bytes())?;
    Ok(file)
}

/// A log's entries up to a head, checked, some at a time.
pub(crate) struct Pages<'a> {
    log: &'a Log,
    upto: Head,
    at: Head,
}

impl<'a> Pages<'a> {
    pub(crate) fn new(log: &'a Log, upto: Head) -> Self {
        Self {
            log,
            upto,
            at: Head::EMPTY,
        }
    }

    /// `None` after the head.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Entry>>, LogError> {
        if self.at.seq == self.upto.seq {
            return if self.at == self.upto {
                Ok(None)
            } else {
                Err(LogError::NoSuchHead { head: self.upto })
            };
        }
        let left = usize::try_from(self.upto.seq - self.at.seq).unwrap_or(PAGE);
        let page = self.log.read(self.at.seq, left.min(PAGE)).await?;
        if page.is_empty() {
            return Err(LogError::NoSuchHead { head: self.upto });
        }
        for entry in &page {
            let place = || "while copying".to_owned();
            diagnose::follows(self.at, entry, place, self.upto.seq, |_| false)
                .map_err(|broken: ChainBroken| LogError::from(broken))?;
            self.at = entry.head();
        }
        Ok(Some(page))
    }
}
