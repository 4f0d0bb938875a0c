//! Webhooks of MLflow 3: whether a call is from the server that knows the secret, and what it says.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;
use std::collections::BTreeMap;
use std::time::Duration;

/// The header with `v1,` and the signature in base64.
pub const SIGNATURE_HEADER: &str = "x-mlflow-signature";
/// The header with the time of sending, seconds since 1970.
pub const TIMESTAMP_HEADER: &str = "x-mlflow-timestamp";
/// The header with the identifier of the delivery.
pub const DELIVERY_HEADER: &str = "x-mlflow-delivery-id";
/// How far the time of sending may lie from ours: enough for MLflow's own repeats and clocks a little apart.
pub const WINDOW: Duration = Duration::from_secs(300);

/// The three headers of a call; `None` for one that is missing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Headers<'a> {
    /// [`SIGNATURE_HEADER`].
    pub signature: Option<&'a str>,
    /// [`TIMESTAMP_HEADER`].
    pub timestamp: Option<&'a str>,
    /// [`DELIVERY_HEADER`].
    pub delivery: Option<&'a str>,
}

/// Why a call is not believed. Say no more than "refused" to its sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unbelieved {
    /// Not as MLflow sends it.
    #[error("the webhook call has no header {0}; give the webhook a secret in MLflow")]
    Missing(&'static str),
    /// Not as MLflow sends it.
    #[error("the webhook call's header {0} is not as MLflow writes it")]
    Malformed(&'static str),
    /// Too old or from the future: perhaps a copy of an earlier call.
    #[error("the webhook call was sent {0} s from now; set the clocks of both machines")]
    Outdated(u64),
    /// Signed with another secret, or changed on the way.
    #[error("the webhook call's signature is wrong; write the webhook's secret of MLflow into the source's settings")]
    Signature,
}

/// Checks the signature in constant time, and that the call was sent within `window` of `now`. A copy sent again within
/// the window passes: treat an event as a reason to look, not as the change itself, or remember delivery identifiers.
///
/// # Errors
///
/// [`Unbelieved`].
pub fn verify(
    secret: &SecretString,
    headers: Headers<'_>,
    body: &[u8],
    now: Timestamp,
    window: Duration,
) -> Result<(), Unbelieved> {
    let signature = headers.signature.ok_or(Unbelieved::Missing(SIGNATURE_HEADER))?;
    let timestamp = headers.timestamp.ok_or(Unbelieved::Missing(TIMESTAMP_HEADER))?;
    let delivery = headers.delivery.ok_or(Unbelieved::Missing(DELIVERY_HEADER))?;
    let sent: i64 = timestamp.parse().map_err(|_| Unbelieved::Malformed(TIMESTAMP_HEADER))?;
    let signature = signature
        .strip_prefix("v1,")
        .and_then(|text| STANDARD.decode(text).ok())
        .ok_or(Unbelieved::Malformed(SIGNATURE_HEADER))?;
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).map_err(|_| Unbelieved::Signature)?;
    mac.update(delivery.as_bytes());
    mac.update(b".");
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.verify_slice(&signature).map_err(|_| Unbelieved::Signature)?;
    let apart = now.as_second().abs_diff(sent);
    if apart > window.as_secs() {
        return Err(Unbelieved::Outdated(apart));
    }
    Ok(())
}

/// What a call says.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// When it happened.
    pub at: Timestamp,
    /// The workspace, where the server has some.
    pub workspace: Option<String>,
    /// What happened.
    pub event: Event,
}

/// What happened in the registry.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A registered model was created.
    ModelCreated {
        /// Its name.
        name: String,
        /// Its tags.
        tags: BTreeMap<String, String>,
    },
    /// A version was created.
    VersionCreated {
        /// The model.
        name: String,
        /// The version.
        version: u64,
        /// Where its files come from.
        source: String,
        /// The run that logged it, where known.
        run_id: Option<String>,
        /// Its tags.
        tags: BTreeMap<String, String>,
    },
    /// A tag was set on a version.
    TagSet {
        /// The model.
        name: String,
        /// The version.
        version: u64,
        /// The tag.
        key: String,
        /// Its value.
        value: String,
    },
    /// A tag was taken from a version.
    TagDeleted {
        /// The model.
        name: String,
        /// The version.
        version: u64,
        /// The tag.
        key: String,
    },
    /// An alias was created, or pointed at another version.
    AliasCreated {
        /// The model.
        name: String,
        /// The alias.
        alias: String,
        /// The version it points at.
        version: u64,
    },
    /// An alias was deleted.
    AliasDeleted {
        /// The model.
        name: String,
        /// The alias.
        alias: String,
    },
    /// Another one: of prompts, budgets, or a newer MLflow.
    Other {
        /// What it is about, as `prompt`.
        entity: String,
        /// What happened to it, as `created`.
        action: String,
        /// The rest, as sent.
        data: Value,
    },
}

impl Event {
    /// The registered model it is about.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        match self {
            Self::ModelCreated { name, .. }
            | Self::VersionCreated { name, .. }
            | Self::TagSet { name, .. }
            | Self::TagDeleted { name, .. }
            | Self::AliasCreated { name, .. }
            | Self::AliasDeleted { name, .. } => Some(name),
            Self::Other { .. } => None,
        }
    }
}

#[derive(Deserialize)]
struct Wire {
    entity: String,
    action: String,
    timestamp: Timestamp,
    #[serde(default)]
    workspace: Option<String>,
    data: Value,
}

#[derive(Deserialize)]
struct Data {
    name: String,
    #[serde(default, deserialize_with = "version")]
    version: Option<u64>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    run_id: Option<String>,
    #[serde(default)]
    tags: Option<BTreeMap<String, String>>,
    #[serde(default)]
    key: Option<String>,
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    alias: Option<String>,
}

fn version<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    crate::registered::number(from).map(Some)
}

/// Reads the body of a call; verify it first.
///
/// # Errors
///
/// [`crate::Error::Malformed`] when it is not one of MLflow's.
pub fn parse(body: &[u8]) -> Result<Call, crate::Error> {
    let wrong = |why: String| crate::Error::Malformed {
        file: "the body of the webhook call",
        why,
    };
    let wire: Wire = serde_json::from_slice(body).map_err(|cause| wrong(cause.to_string()))?;
    let known = matches!(
        (wire.entity.as_str(), wire.action.as_str()),
        ("registered_model" | "model_version", "created")
            | ("model_version_tag", "set" | "deleted")
            | ("model_version_alias", "created" | "deleted")
    );
    let event = if known {
        let data: Data = serde_json::from_value(wire.data).map_err(|cause| wrong(cause.to_string()))?;
        typed(&wire.entity, &wire.action, data).ok_or_else(|| wrong(format!("{} lacks a field", wire.entity)))?
    } else {
        Event::Other {
            entity: wire.entity,
            action: wire.action,
            data: wire.data,
        }
    };
    Ok(Call {
        at: wire.timestamp,
        workspace: wire.workspace,
        event,
    })
}

fn typed(entity: &str, action: &str, data: Data) -> Option<Event> {
    let name = data.name;
    Some(match (entity, action) {
        ("registered_model", _) => Event::ModelCreated {
            name,
            tags: data.tags.unwrap_or_default(),
        },
        ("model_version", _) => Event::VersionCreated {
            name,
            version: data.version?,
            source: data.source.unwrap_or_default(),
            run_id: data.run_id,
            tags: data.tags.unwrap_or_default(),
        },
        ("model_version_tag", "set") => Event::TagSet {
            name,
            version: data.version?,
            key: data.key?,
            value: data.value.unwrap_or_default(),
        },
        ("model_version_tag", _) => Event::TagDeleted {
            name,
            version: data.version?,
            key: data.key?,
        },
        (_, "created") => Event::AliasCreated {
            name,
            alias: data.alias?,
            version: data.version?,
        },
        _ => Event::AliasDeleted {
            name,
            alias: data.alias?,
        },
    })
}
