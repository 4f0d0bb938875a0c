//! Why something does not become a version.

use einthoven_registry::ChangeError;
use einthoven_registry_files::FilesError;
use einthoven_registry_mlflow::Error as MlflowError;
use einthoven_registry_state::{Refusal, StoredFile};
use einthoven_serving::ServingError;
use serde::Serialize;

/// A field of the manifest that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldProblem {
    /// The field.
    pub pointer: String,
    /// What is wrong and what to give.
    pub detail: String,
}

/// Why something does not become a version.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnboardError {
    /// The files are not those of a version.
    #[error("{0}")]
    NotAVersion(String),
    /// A model's format that is never opened, with the way out.
    #[error("{0}")]
    RefusedFormat(String),
    /// No engine opens the network.
    #[error("no engine here opens the network: {0}")]
    Unloadable(String),
    /// The manifest lacks what only its maker knows.
    #[error("{}", listed(.problems))]
    Incomplete {
        /// What is missing or wrong.
        problems: Vec<FieldProblem>,
        /// The manifest as far as it is known.
        draft: serde_json::Value,
        /// The files that came. They are kept for a day, so that the version can be asked for again by their digests.
        files: Vec<StoredFile>,
    },
    /// Storing failed, or a file is not what it was.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The registry says no.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// MLflow says no, or nothing.
    #[error(transparent)]
    Mlflow(#[from] MlflowError),
    /// It does not load.
    #[error(transparent)]
    Serving(#[from] ServingError),
    /// A source's settings are not what they should be.
    #[error("the settings of the source `{source_name}`: {cause}")]
    Settings {
        /// The source.
        source_name: String,
        /// What is wrong.
        cause: String,
    },
    /// A file of ours or of the caller's cannot be read.
    #[error("cannot read `{name}`: {cause}")]
    Read {
        /// The file.
        name: String,
        /// What the system said.
        cause: String,
    },
    /// A task of ours ended before it was done.
    #[error("the work broke off: {0}")]
    Broken(String),
}

impl From<Refusal> for OnboardError {
    fn from(refusal: Refusal) -> Self {
        Self::Change(refusal.into())
    }
}

fn listed(problems: &[FieldProblem]) -> String {
    let texts: Vec<_> = problems.iter().map(|problem| problem.detail.as_str()).collect();
    format!("the manifest is not complete: {}", texts.join("; "))
}
