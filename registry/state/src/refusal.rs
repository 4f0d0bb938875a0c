//! Why a change is not made.

use crate::name::{AliasName, ExperimentName, IssuerName, KeyName, ModelName, SourceName, UserName, VersionName};

/// Why a change is not made; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are what the texts say")]
pub enum Refusal {
    #[error("there is no model `{model}`")]
    NoSuchModel { model: ModelName },
    #[error("model `{model}` has no version `{version}`")]
    NoSuchVersion { model: ModelName, version: VersionName },
    #[error("model `{model}` has no alias `{alias}`")]
    NoSuchAlias { model: ModelName, alias: AliasName },
    #[error("there is no source `{source_name}`")]
    NoSuchSource { source_name: SourceName },
    #[error("there is a model `{model}` already")]
    ModelExists { model: ModelName },
    #[error("model `{model}` has a version `{version}` already; give the new one another name")]
    VersionExists { model: ModelName, version: VersionName },
    #[error("model `{model}` has this very content already, as version `{version}`")]
    SameContent { model: ModelName, version: VersionName },
    #[error("this version of MLflow is here already, as `{model}/{version}`")]
    SameOrigin { model: ModelName, version: VersionName },
    #[error("version `{model}/{version}` is {is}; it must be {must_be} for that")]
    WrongPhase {
        model: ModelName,
        version: VersionName,
        is: &'static str,
        must_be: &'static str,
    },
    #[error("{what} cannot go while {} points at it; move that first", .by.join(" and "))]
    PointedAt { what: String, by: Vec<String> },
    #[error("model `{model}` has no version that answers; promote one first")]
    NothingServes { model: ModelName },
    #[error("model `{model}` has no earlier traffic to go back to")]
    NothingBefore { model: ModelName },
    #[error("this traffic cannot be: {why}")]
    BadTraffic { why: String },
    #[error("there is no experiment `{experiment}`")]
    NoSuchExperiment { experiment: ExperimentName },
    #[error("there is or was an experiment `{experiment}` already; give the new one another name")]
    ExperimentExists { experiment: ExperimentName },
    #[error("experiment `{experiment}` compares versions of model `{model}` already; stop it first")]
    ExperimentRuns {
        model: ModelName,
        experiment: ExperimentName,
    },
    #[error("experiment `{experiment}` has ended; start another")]
    ExperimentEnded { experiment: ExperimentName },
    #[error("version `{model}/{version}` was withdrawn and may be no challenger before {until}")]
    Cooling {
        model: ModelName,
        version: VersionName,
        until: jiff::Timestamp,
    },
    #[error("version `{model}/{version}` may not be promoted: {}", .findings.join("; "))]
    Gate {
        model: ModelName,
        version: VersionName,
        findings: Vec<String>,
    },
    #[error("there is no key `{key}`")]
    NoSuchKey { key: String },
    #[error("there is no user `{user}`")]
    NoSuchUser { user: UserName },
    #[error("there is no issuer `{issuer}`")]
    NoSuchIssuer { issuer: IssuerName },
    #[error("there is a key `{key}` already; give the new one another name")]
    KeyExists { key: KeyName },
    #[error("there is a user `{user}` already")]
    UserExists { user: UserName },
    #[error("tokens of this issuer are taken already, as issuer `{issuer}`")]
    SameIssuer { issuer: IssuerName },
    #[error("nobody else can do everything; make another owner first")]
    LastOwner,
    #[error("`{field}`: {why}")]
    AccessField { field: &'static str, why: String },
    #[error("the change takes {bytes} bytes to write down, {most} are allowed; shorten its texts")]
    TooLong { bytes: usize, most: usize },
    #[error("it was changed meanwhile: you saw revision {seen}, it is {is}; look again and decide anew")]
    ChangedMeanwhile { seen: u64, is: u64 },
}
