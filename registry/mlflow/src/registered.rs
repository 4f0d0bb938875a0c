//! Registered models and their versions, as MLflow's registry answers.

use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// A registered model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredModel {
    /// Its name, unique in the registry.
    pub name: String,
    /// What people wrote about it; may be empty.
    pub description: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The version each alias points at.
    pub aliases: BTreeMap<String, u64>,
    /// Milliseconds since 1970, UTC.
    pub created_ms: i64,
    /// Milliseconds since 1970, UTC.
    pub updated_ms: i64,
}

/// A version of a registered model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelVersion {
    /// The registered model.
    pub name: String,
    /// Counted from 1.
    pub version: u64,
    /// What people wrote about it; may be empty.
    pub description: String,
    /// Where its files come from, as registered: `models:/m-ID`, `runs:/RUN/PATH` or a place.
    pub source: String,
    /// The run that logged it, where known.
    pub run_id: Option<String>,
    /// `READY`, or a state in which its files may be incomplete.
    pub status: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The aliases that point at it; a search leaves them out, see [`RegisteredModel::aliases`].
    pub aliases: Vec<String>,
    /// Milliseconds since 1970, UTC.
    pub created_ms: i64,
    /// Milliseconds since 1970, UTC.
    pub updated_ms: i64,
}

impl ModelVersion {
    /// Whether MLflow says that all its files are there.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.status == "READY"
    }
}

#[derive(Deserialize)]
struct Pair {
    key: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
struct Alias {
    alias: String,
    #[serde(deserialize_with = "number")]
    version: u64,
}

#[derive(Deserialize)]
struct WireModel {
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    tags: Vec<Pair>,
    #[serde(default)]
    aliases: Vec<Alias>,
    #[serde(default, deserialize_with = "time")]
    creation_timestamp: i64,
    #[serde(default, deserialize_with = "time")]
    last_updated_timestamp: i64,
}

#[derive(Deserialize)]
struct WireVersion {
    name: String,
    #[serde(deserialize_with = "number")]
    version: u64,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    run_id: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    tags: Vec<Pair>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default, deserialize_with = "time")]
    creation_timestamp: i64,
    #[serde(default, deserialize_with = "time")]
    last_updated_timestamp: i64,
}

impl<'de> Deserialize<'de> for RegisteredModel {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let wire = WireModel::deserialize(from)?;
        Ok(Self {
            name: wire.name,
            description: wire.description.unwrap_or_default(),
            tags: map(wire.tags),
            aliases: wire
                .aliases
                .into_iter()
                .map(|alias| (alias.alias, alias.version))
                .collect(),
            created_ms: wire.creation_timestamp,
            updated_ms: wire.last_updated_timestamp,
        })
    }
}

impl<'de> Deserialize<'de> for ModelVersion {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let wire = WireVersion::deserialize(from)?;
        Ok(Self {
            name: wire.name,
            version: wire.version,
            description: wire.description.unwrap_or_default(),
            source: wire.source.unwrap_or_default(),
            run_id: wire.run_id.filter(|run| !run.is_empty()),
            // Servers that leave it out have no other state.
            status: wire.status.unwrap_or_else(|| "READY".to_owned()),
            tags: map(wire.tags),
            aliases: wire.aliases,
            created_ms: wire.creation_timestamp,
            updated_ms: wire.last_updated_timestamp,
        })
    }
}

fn map(pairs: Vec<Pair>) -> BTreeMap<String, String> {
    pairs.into_iter().map(|pair| (pair.key, pair.value)).collect()
}

/// Protobuf's JSON writes 64-bit numbers as text, MLflow some of them as numbers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Text(String),
    Whole(i64),
}

fn time<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    match Number::deserialize(from)? {
        Number::Whole(number) => Ok(number),
        Number::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

/// A count that is not negative, as text or number.
pub(crate) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    u64::try_from(time(from)?).map_err(serde::de::Error::custom)
}
