//! Where versions are pulled from.

use crate::name::{AliasName, ModelName, SourceName};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An MLflow server and what to take from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// Its name here.
    pub name: SourceName,
    /// Address, credentials and trust, by the client's own schema. Secrets are named by file, never held.
    pub settings: serde_json::Value,
    /// What is pulled without asking.
    pub follow: Vec<FollowRule>,
    /// Seconds between two looks; none looks only when told to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub poll_s: Option<u32>,
    /// File with the secret of the webhook; without one, webhooks are refused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub webhook_secret_file: Option<String>,
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// The entry of the log that changed it last: its ETag.
    pub revision: u64,
}

/// Pull what an alias of a model points at, whenever it moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowRule {
    /// Name of the registered model there.
    pub model: String,
    /// The alias that is followed; without one, every new version is pulled.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub alias: Option<AliasName>,
    /// Name of the model here; the same as there unless given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub into: Option<ModelName>,
    /// Fields of the manifest that the files do not tell, such as `recipe` and `labels`.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty", default)]
    pub manifest: serde_json::Map<String, serde_json::Value>,
    /// Whether it goes live by itself once it is ready; else a person promotes it.
    #[serde(default)]
    pub promote: bool,
}
