//! API keys: what is kept of them.

use super::grant::Grant;
use crate::name::KeyName;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An API key. Its secret is nowhere; only a hash of it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Key {
    /// The prefix that is shown: `x7k2m9qa` of `ein_x7k2m9qa_…`. The owner's key, which has no prefix, is `owner`.
    pub id: String,
    /// What people call it.
    pub name: KeyName,
    /// SHA-256 of the whole key.
    pub digest: KeyDigest,
    /// What may be done with it.
    pub grants: Vec<Grant>,
    /// How often; as often as anybody likes where absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rate: Option<Rate>,
    /// From when on it is refused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// The entry of the log that made it: what was issued before it, to another key of that name, is refused.
    pub valid_from: u64,
    /// The entry of the log that changed it last: its ETag.
    pub revision: u64,
}

/// How often a key may be used.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "KeyRate")]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Requests per second in the long run, from 0.001 to 1,000,000.
    pub per_second: f64,
    /// Requests at once after a pause, from 1 to 1,000,000.
    pub burst: u32,
}

impl Rate {
    /// Whether both numbers are within their bounds.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        (0.001..=1e6).contains(&self.per_second) && (1..=1_000_000).contains(&self.burst)
    }
}

/// SHA-256 of a key: 64 hexadecimal digits. Printed nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct KeyDigest(pub String);

impl fmt::Debug for KeyDigest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(hash of a key)")
    }
}

/// A key that is to be made: everything but its id and digest, which follow from its secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeySpec {
    /// What people call it.
    pub name: KeyName,
    /// What may be done with it.
    pub grants: Vec<Grant>,
    /// How often.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rate: Option<Rate>,
    /// From when on it is refused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<Timestamp>,
}
