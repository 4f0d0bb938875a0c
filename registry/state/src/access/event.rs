//! What happened.

use super::grant::Grant;
use super::issuer::IssuerSettings;
use super::key::{KeyDigest, KeySpec, Rate};
use super::user::{PasswordHash, Role};
use crate::name::{IssuerName, KeyName, UserName};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who may do what was changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "what", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the fields are what their names and types say")]
pub enum AccessEvent {
    /// A key was made.
    KeyAdded {
        id: String,
        digest: KeyDigest,
        key: KeySpec,
    },
    /// The owner's key was set, or replaced by another.
    OwnerKeySet { digest: KeyDigest, replaced: bool },
    /// What a key allows was changed.
    KeyChanged {
        id: String,
        name: KeyName,
        grants: Vec<Grant>,
        rate: Option<Rate>,
        expires_at: Option<Timestamp>,
    },
    /// A key is refused from now on.
    KeyRevoked { id: String, name: KeyName },
    /// Somebody was added.
    UserAdded {
        user: UserName,
        password: PasswordHash,
        roles: Vec<Role>,
    },
    /// They have another password.
    PasswordSet { user: UserName, password: PasswordHash },
    /// They do something else here.
    RolesSet {
        user: UserName,
        from: Vec<Role>,
        to: Vec<Role>,
    },
    /// They are gone.
    UserRemoved { user: UserName },
    /// An issuer was added or changed.
    IssuerSet {
        issuer: IssuerName,
        settings: IssuerSettings,
    },
    /// An issuer was removed.
    IssuerRemoved { issuer: IssuerName },
    /// A server signs with this key from now on.
    SigningKeyPublished {
        server: String,
        kid: String,
        public: String,
        overlap_s: u32,
    },
    /// A token or a session is refused.
    TokenRevoked { token: String, until: Timestamp },
    /// What was issued to a subject until now is refused.
    SignedOut { subject: String },
}

impl AccessEvent {
    /// Without hashes of secrets: for eyes that need not see them.
    #[must_use]
    pub fn concealed(mut self) -> Self {
        match &mut self {
            Self::KeyAdded { digest, .. } | Self::OwnerKeySet { digest, .. } => "concealed".clone_into(&mut digest.0),
            Self::UserAdded { password, .. } | Self::PasswordSet { password, .. } => {
                "concealed".clone_into(&mut password.0);
            }
            _ => {}
        }
        self
    }
}
