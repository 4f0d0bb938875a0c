//! Why a version does not answer.

use einthoven_classify::LoadError;
use einthoven_registry_files::FilesError;
use einthoven_registry_state::Refusal;
use std::sync::Arc;

/// Why a version does not answer.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ServingError {
    /// There is no such model, version or alias.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It is there and may not serve.
    #[error("version `{title}` is {phase}, not ready; only a ready version answers")]
    NotReady {
        /// `MODEL/VERSION`.
        title: String,
        /// Its state.
        phase: &'static str,
    },
    /// It is larger than all room for models.
    #[error(
        "version `{title}` takes {needed_bytes} bytes of memory, {budget_bytes} are allowed for all loaded models; raise \
         --model-memory-mib"
    )]
    NoRoom {
        /// `MODEL/VERSION`.
        title: String,
        /// What it counts as.
        needed_bytes: u64,
        /// What all together may count as.
        budget_bytes: u64,
    },
    /// A file is gone or not what it was.
    #[error("version `{title}`: {cause}")]
    Files {
        /// `MODEL/VERSION`.
        title: String,
        /// Which file, and both digests.
        cause: Arc<FilesError>,
    },
    /// It does not load.
    #[error("version `{title}` does not load: {cause}")]
    Load {
        /// `MODEL/VERSION`.
        title: String,
        /// What failed.
        cause: Arc<LoadError>,
    },
    /// No engine here runs it.
    #[error("no engine here runs version `{title}`: {reasons}")]
    NoEngine {
        /// `MODEL/VERSION`.
        title: String,
        /// What each said.
        reasons: String,
    },
    /// The load panicked or the server is closing.
    #[error("version `{title}` was not loaded: {cause}")]
    Broken {
        /// `MODEL/VERSION`.
        title: String,
        /// What happened.
        cause: String,
    },
}
