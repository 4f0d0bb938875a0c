//! Tables of engines, measured on this machine and kept for the next start.

use einthoven_classify::{EngineTable, LoadError, PackageFile, Serving, measure};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Measures versions on every engine, one at a time so that figures mean something.
#[derive(Clone)]
pub struct Tables {
    folder: PathBuf,
    measuring: Arc<Mutex<()>>,
}

impl Tables {
    /// Tables that are kept in this folder.
    #[must_use]
    pub fn in_folder(folder: PathBuf) -> Self {
        Self {
            folder,
            measuring: Arc::default(),
        }
    }

    /// The table of a version's content, if it was measured on this very machine with these very engines.
    #[must_use]
    pub fn kept(&self, digest: &str, serving: &Serving) -> Option<EngineTable> {
        EngineTable::kept(&self.folder, digest, &serving.machine())
    }

    /// The kept table, or else a new one: every engine runs the version in a child process. Takes seconds; blocks.
    ///
    /// # Errors
    /// [`LoadError`] when manifest or golden outputs cannot be read.
    pub fn measured(&self, serving: &Serving, files: &[PackageFile<'_>]) -> Result<EngineTable, LoadError> {
        let digest = einthoven_classify::digest(files);
        if let Some(table) = self.kept(&digest, serving) {
            return Ok(table);
        }
        let _one = self.measuring.lock().unwrap_or_else(PoisonError::into_inner);
        // Who waited may find it done.
        if let Some(table) = self.kept(&digest, serving) {
            return Ok(table);
        }
        let table = measure(serving, files)?;
        if let Err(cause) = table.keep(&self.folder) {
            tracing::warn!("cannot keep the table of engines in {}: {cause}", self.folder.display());
        }
        Ok(table)
    }
}
