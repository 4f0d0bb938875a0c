//! One immutable set of files and what became of it.

use crate::name::{ModelName, SourceName, VersionName};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A version of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Version {
    /// Its name within the model.
    pub name: VersionName,
    /// Where it came from.
    pub origin: Origin,
    /// How far it has come.
    pub phase: Phase,
    /// When it was added.
    pub added_at: Timestamp,
    /// Who added it.
    pub added_by: String,
    /// The entry of the log that added it: versions in this order are versions by age.
    pub added_seq: u64,
    /// SHA-256 over all its files, `sha256:<hex>`; from the moment that they are all here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub digest: Option<String>,
    /// Its files, sorted by name.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub files: Vec<StoredFile>,
    /// What it was measured to be on frozen sets.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub evaluations: BTreeMap<String, Evaluation>,
}

/// One file of a version; its content lies in the file store under its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoredFile {
    /// Path in the package, with `/`.
    pub name: String,
    /// Its length.
    pub size_bytes: u64,
    /// `sha256:<hex>` of its content.
    pub sha256: String,
}

/// Where a version came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "VersionOrigin")]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    /// The binary carries it.
    Embedded,
    /// Somebody sent it.
    Upload {
        /// Name of the file that was sent.
        file: String,
    },
    /// A folder named at start.
    Folder,
    /// A version of a registered model in MLflow.
    Mlflow {
        /// The source it was pulled from.
        source: SourceName,
        /// The model's name there.
        model: String,
        /// The version's number there.
        version: String,
        /// The run that logged it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        run_id: Option<String>,
        /// Fields of the manifest that were stated when it was asked for.
        #[serde(skip_serializing_if = "serde_json::Map::is_empty", default)]
        #[schemars(with = "serde_json::Value")]
        manifest: serde_json::Map<String, serde_json::Value>,
        /// Whether it answers as soon as it is ready.
        #[serde(default)]
        promote: bool,
    },
}

impl Origin {
    /// The place in MLflow it came from, as `SOURCE MODEL/VERSION`.
    #[must_use]
    pub fn place_in_mlflow(&self) -> Option<String> {
        match self {
            Self::Mlflow {
                source, model, version, ..
            } => Some(format!("{source} {model}/{version}")),
            _ => None,
        }
    }

    /// Whether both are the same version of the same model in the same source.
    #[must_use]
    pub fn is_same_in_mlflow(&self, other: &Self) -> bool {
        self.place_in_mlflow()
            .is_some_and(|place| other.place_in_mlflow() == Some(place))
    }
}

/// How far a version has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "VersionPhase")]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Phase {
    /// Its files are on their way.
    Fetching,
    /// Its files are here and are being tried.
    Verifying,
    /// It may serve.
    Ready(Verified),
    /// It may not.
    Rejected(Rejection),
    /// It served once and may not any more.
    Retired,
}

impl Phase {
    /// The state's name, as the API says it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Fetching => "fetching",
            Self::Verifying => "verifying",
            Self::Ready(_) => "ready",
            Self::Rejected(_) => "rejected",
            Self::Retired => "retired",
        }
    }
}

/// That a version passed, and where the report lies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verified {
    /// The engine that was fastest when it was tried; the first that takes it, where it came with the binary.
    pub engine: String,
    /// `sha256:<hex>` of the report in the file store: every engine with every file, accepted or why not. None for what
    /// came with the binary.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub report: Option<String>,
}

/// Why a version may not serve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rejection {
    /// The step that failed.
    pub step: Step,
    /// What was wrong.
    pub reason: String,
    /// What would make it right.
    pub remedy: String,
}

/// Steps from a file to a version that may serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "VerificationStep")]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Bringing the files.
    Fetch,
    /// Reading or drafting the manifest.
    Manifest,
    /// Comparing digests.
    Digest,
    /// Loading on the engines, in a child process.
    Load,
    /// Comparing inputs and outputs with the manifest.
    Signature,
    /// Comparing answers with the golden ones.
    Golden,
    /// Running the declared batch sizes.
    WarmUp,
}

/// A version's measures on one frozen set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evaluation {
    /// SHA-256 over the set's files: a set that changed is another set.
    pub set_digest: String,
    /// Recordings in it.
    pub recordings: usize,
    /// By name, such as `macro_f1`; between 0 and 1.
    pub metrics: BTreeMap<String, f64>,
    /// When it was measured.
    pub at: Timestamp,
    /// Records of the set that the version was trained on, or that are of a person it was trained on: the measures say less.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub leaks: Vec<String>,
}

impl Version {
    /// `MODEL/VERSION`, for texts.
    #[must_use]
    pub fn title(&self, model: &ModelName) -> String {
        format!("{model}/{}", self.name)
    }

    /// Whether it may serve.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Ready(_))
    }

    /// The file of that name.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&StoredFile> {
        self.files.iter().find(|file| file.name == name)
    }

    /// Whether it brings a model card.
    #[must_use]
    pub fn card(&self) -> Option<&StoredFile> {
        ["CARD.md", "README.md"].into_iter().find_map(|name| self.file(name))
    }
}
