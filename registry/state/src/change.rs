//! What callers ask for.

use crate::access::AccessChange;
use crate::experiment::{FrozenReference, Wanted};
use crate::gate::Gate;
use crate::name::{AliasName, ExperimentName, ModelName, SetName, SourceName, VersionName};
use crate::source::FollowRule;
use crate::traffic::Traffic;
use crate::version::{Evaluation, Origin, Rejection, StoredFile, Verified};

/// A change that is asked for; [`State::decide`](crate::State::decide) says what comes of it.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the fields are what their names and types say")]
pub enum Change {
    /// Make a model without versions.
    CreateModel { model: ModelName, description: String },
    /// Describe it anew.
    DescribeModel { model: ModelName, description: String },
    /// Delete it with all its versions; refused while anything answers or an alias points at one.
    DeleteModel { model: ModelName },
    /// Say what a promotion needs.
    SetGate { model: ModelName, gate: Gate },
    /// Announce a version, or add it with its files at once. Makes the model where there is none.
    AddVersion {
        model: ModelName,
        /// The next number where none is given.
        version: Option<VersionName>,
        origin: Origin,
        /// Its files, where they are here already.
        package: Option<Package>,
    },
    /// Say that all files of an announced version are here.
    Fetched {
        model: ModelName,
        version: VersionName,
        package: Package,
    },
    /// Say that a version may serve.
    Verified {
        model: ModelName,
        version: VersionName,
        verified: Verified,
    },
    /// Say that it may not.
    Reject {
        model: ModelName,
        version: VersionName,
        rejection: Rejection,
    },
    /// Write down what it was measured to be on a frozen set.
    Evaluated {
        model: ModelName,
        version: VersionName,
        set: SetName,
        evaluation: Evaluation,
    },
    /// Make it the one that answers, if the gate lets it.
    Promote { model: ModelName, version: VersionName },
    /// Put the whole policy, if the gate lets every version that is new in it.
    SetTraffic { model: ModelName, traffic: Traffic },
    /// Take the previous policy back.
    RollBack { model: ModelName },
    /// Begin a comparison with the champion.
    StartExperiment {
        model: ModelName,
        experiment: ExperimentName,
        wanted: Wanted,
    },
    /// Change shares or rules of one that runs.
    ChangeExperiment {
        model: ModelName,
        experiment: ExperimentName,
        wanted: Wanted,
    },
    /// End one: the champion answers everybody.
    StopExperiment {
        model: ModelName,
        experiment: ExperimentName,
    },
    /// Take a challenger out of one, because a rule says so.
    WithdrawChallenger {
        model: ModelName,
        experiment: ExperimentName,
        version: VersionName,
        /// What was seen and what was allowed.
        broken: serde_json::Value,
        /// It does not come back before.
        until: jiff::Timestamp,
    },
    /// Keep what later recordings of a version in an experiment are compared with.
    FreezeReference {
        model: ModelName,
        experiment: ExperimentName,
        version: VersionName,
        reference: FrozenReference,
        /// In the place of one that is there.
        replace: bool,
    },
    /// Write down that recordings are not like those of the reference any more.
    FindDrift {
        model: ModelName,
        experiment: ExperimentName,
        version: VersionName,
        /// SHA-256 of the reference; refused where it is another by now.
        reference: String,
        recordings: u32,
        figures: Vec<String>,
    },
    /// Let a version that nothing points at serve no more.
    Retire { model: ModelName, version: VersionName },
    /// Forget a version that nothing points at.
    DeleteVersion { model: ModelName, version: VersionName },
    /// Point an alias at a version; at none, to remove it.
    MoveAlias {
        model: ModelName,
        alias: AliasName,
        to: Option<VersionName>,
    },
    /// Add or change a source.
    SetSource {
        source: SourceName,
        settings: serde_json::Value,
        follow: Vec<FollowRule>,
        poll_s: Option<u32>,
        webhook_secret_file: Option<String>,
    },
    /// Remove a source.
    RemoveSource { source: SourceName },
    /// Change who may do what.
    Access(AccessChange),
}

/// A version's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// SHA-256 over all files, `sha256:<hex>`.
    pub digest: String,
    /// Sorted by name.
    pub files: Vec<StoredFile>,
}

impl Change {
    /// The model it is about.
    #[must_use]
    pub fn model(&self) -> Option<&ModelName> {
        match self {
            Self::CreateModel { model, .. }
            | Self::DescribeModel { model, .. }
            | Self::DeleteModel { model }
            | Self::SetGate { model, .. }
            | Self::AddVersion { model, .. }
            | Self::Fetched { model, .. }
            | Self::Verified { model, .. }
            | Self::Reject { model, .. }
            | Self::Evaluated { model, .. }
            | Self::Promote { model, .. }
            | Self::SetTraffic { model, .. }
            | Self::RollBack { model }
            | Self::StartExperiment { model, .. }
            | Self::ChangeExperiment { model, .. }
            | Self::StopExperiment { model, .. }
            | Self::WithdrawChallenger { model, .. }
            | Self::FreezeReference { model, .. }
            | Self::FindDrift { model, .. }
            | Self::Retire { model, .. }
            | Self::DeleteVersion { model, .. }
            | Self::MoveAlias { model, .. } => Some(model),
            Self::SetSource { .. } | Self::RemoveSource { .. } | Self::Access(_) => None,
        }
    }
}
