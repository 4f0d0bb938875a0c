//! What happened: the entries of the log.

use crate::access::AccessEvent;
use crate::experiment::FrozenReference;
use crate::gate::Gate;
use crate::name::{AliasName, ExperimentName, ModelName, SetName, SourceName, VersionName};
use crate::source::FollowRule;
use crate::traffic::{Challenger, Traffic};
use crate::version::{Evaluation, Origin, Rejection, StoredFile, Verified};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One entry: what, when, by whom, why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// When it was decided.
    pub at: Timestamp,
    /// Who asked for it.
    pub who: String,
    /// The reason they gave; empty where none was asked for.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub why: String,
    /// What happened.
    pub event: Event,
}

/// What happened. Says what was before where something was replaced, so that an entry can be read alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RegistryEvent")]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the fields are what their names and types say")]
pub enum Event {
    /// A model was made.
    ModelCreated { model: ModelName, description: String },
    /// Its description was changed.
    ModelDescribed { model: ModelName, from: String, to: String },
    /// A model without anything that answers was deleted.
    ModelDeleted { model: ModelName },
    /// What a promotion needs was changed.
    GateSet { model: ModelName, from: Gate, to: Gate },
    /// A version was announced.
    VersionAdded {
        model: ModelName,
        version: VersionName,
        origin: Origin,
    },
    /// All its files are here.
    VersionFetched {
        model: ModelName,
        version: VersionName,
        digest: String,
        files: Vec<StoredFile>,
    },
    /// It may serve.
    VersionReady {
        model: ModelName,
        version: VersionName,
        verified: Verified,
    },
    /// It may not.
    VersionRejected {
        model: ModelName,
        version: VersionName,
        rejection: Rejection,
    },
    /// It was measured on a frozen set.
    VersionEvaluated {
        model: ModelName,
        version: VersionName,
        set: SetName,
        evaluation: Evaluation,
    },
    /// It may not serve any more.
    VersionRetired { model: ModelName, version: VersionName },
    /// It is gone, and its files with it unless others share them.
    VersionDeleted {
        model: ModelName,
        version: VersionName,
        digest: Option<String>,
    },
    /// An alias was set, moved or removed.
    AliasMoved {
        model: ModelName,
        alias: AliasName,
        from: Option<VersionName>,
        to: Option<VersionName>,
    },
    /// Somebody wants a version promoted, which takes two.
    PromotionProposed { model: ModelName, version: VersionName },
    /// Something else answers.
    TrafficChanged {
        model: ModelName,
        action: TrafficAction,
        from: Traffic,
        to: Traffic,
    },
    /// Versions are compared. What answers says the entry after it.
    ExperimentStarted {
        model: ModelName,
        experiment: ExperimentName,
        champion: VersionName,
        splits: Vec<Challenger>,
        shadows: Vec<Challenger>,
        rules: serde_json::Value,
    },
    /// Its rules were changed.
    ExperimentRuled {
        model: ModelName,
        experiment: ExperimentName,
        from: serde_json::Value,
        to: serde_json::Value,
    },
    /// A challenger broke a rule. What answers says the entry after it.
    ChallengerWithdrawn {
        model: ModelName,
        experiment: ExperimentName,
        version: VersionName,
        broken: serde_json::Value,
        until: Timestamp,
    },
    /// What later recordings of a version are compared with was kept.
    ReferenceFrozen {
        model: ModelName,
        experiment: ExperimentName,
        version: VersionName,
        reference: FrozenReference,
        /// SHA-256 of the one before.
        replaces: Option<String>,
    },
    /// Recordings, or what a version says of them, are not like those of the reference any more.
    DriftFound {
        model: ModelName,
        experiment: ExperimentName,
        version: VersionName,
        /// SHA-256 of the reference.
        reference: String,
        /// Recordings of the window.
        recordings: u32,
        /// Names of the figures that changed.
        figures: Vec<String>,
    },
    /// A source was added or changed.
    SourceSet {
        source: SourceName,
        settings: serde_json::Value,
        follow: Vec<FollowRule>,
        poll_s: Option<u32>,
        webhook_secret_file: Option<String>,
    },
    /// A source was removed; what came from it stays.
    SourceRemoved { source: SourceName },
    /// Who may do what was changed.
    Access(AccessEvent),
}

/// The call that changed the traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrafficAction {
    /// A version was made champion.
    Promoted,
    /// The policy was put as a whole.
    Set,
    /// The previous policy was taken back.
    RolledBack,
    /// An experiment was stopped.
    Stopped,
    /// A challenger was withdrawn.
    Withdrawn,
}

impl Event {
    /// The model it is about.
    #[must_use]
    pub fn model(&self) -> Option<&ModelName> {
        match self {
            Self::ModelCreated { model, .. }
            | Self::ModelDescribed { model, .. }
            | Self::ModelDeleted { model }
            | Self::GateSet { model, .. }
            | Self::VersionAdded { model, .. }
            | Self::VersionFetched { model, .. }
            | Self::VersionReady { model, .. }
            | Self::VersionRejected { model, .. }
            | Self::VersionEvaluated { model, .. }
            | Self::VersionRetired { model, .. }
            | Self::VersionDeleted { model, .. }
            | Self::AliasMoved { model, .. }
            | Self::PromotionProposed { model, .. }
            | Self::TrafficChanged { model, .. }
            | Self::ExperimentStarted { model, .. }
            | Self::ExperimentRuled { model, .. }
            | Self::ChallengerWithdrawn { model, .. }
            | Self::ReferenceFrozen { model, .. }
            | Self::DriftFound { model, .. } => Some(model),
            Self::SourceSet { .. } | Self::SourceRemoved { .. } | Self::Access(_) => None,
        }
    }
}
