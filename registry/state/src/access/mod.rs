//! Who may do what: keys, users, issuers of tokens, and what of theirs was revoked.

mod change;
mod decide;
mod event;
mod fold;
mod grant;
mod issuer;
mod key;
mod signing;
mod user;

pub use change::AccessChange;
pub use event::AccessEvent;
pub use grant::{Grant, GrantError, ModelPattern, Scope, covers};
pub use issuer::{ClaimRule, Issuer, IssuerSettings, LoginClient, SigningAlgorithm};
pub use key::{Key, KeyDigest, KeySpec, Rate};
pub use signing::SigningKey;
pub use user::{PasswordHash, Role, User};

use crate::name::{IssuerName, UserName};
use crate::refusal::Refusal;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Id and name of the key that the operator sets at start.
pub const OWNER_KEY: &str = "owner";

/// Who may do what. Cheap to copy: its parts are shared until they change.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Access {
    /// The newest entry of the log that changed anything here: what was verified before may be so no more.
    pub revision: u64,
    /// By id.
    #[serde(with = "crate::shared")]
    pub keys: BTreeMap<String, Arc<Key>>,
    /// By name.
    #[serde(with = "crate::shared")]
    pub users: BTreeMap<UserName, Arc<User>>,
    /// By name.
    #[serde(with = "crate::shared")]
    pub issuers: BTreeMap<IssuerName, Arc<Issuer>>,
    /// By `kid`; those that sign, and those whose tokens may still count.
    #[serde(with = "crate::shared")]
    pub signing: BTreeMap<String, Arc<SigningKey>>,
    /// Tokens and sessions that are refused though they have not expired, with the time at which they do: `<issuer>/<jti>`,
    /// `-/<jti>` for our own.
    pub revoked: BTreeMap<String, Timestamp>,
    /// What was issued to a subject (`user:ana`, `key:ci`, `oidc:lab:4711`) until then is refused.
    pub signed_out: BTreeMap<String, SignedOut>,
}

/// When a subject was last signed out everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedOut {
    /// By the clock: what an issuer dates until then is refused.
    pub at: Timestamp,
    /// The entry of the log: what was issued here before it is refused. Clocks of servers differ, and a second is long.
    pub revision: u64,
}

impl Access {
    /// Whether anybody can prove who they are: a key, a user or an issuer exists.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        !(self.keys.is_empty() && self.users.is_empty() && self.issuers.is_empty())
    }

    /// The key of that id.
    ///
    /// # Errors
    /// [`Refusal::NoSuchKey`].
    pub fn key(&self, id: &str) -> Result<&Arc<Key>, Refusal> {
        self.keys.get(id).ok_or_else(|| Refusal::NoSuchKey { key: shown(id) })
    }

    /// The key of that name.
    #[must_use]
    pub fn key_named(&self, name: &str) -> Option<&Arc<Key>> {
        self.keys.values().find(|key| key.name.as_str() == name)
    }

    /// The user of that name.
    ///
    /// # Errors
    /// [`Refusal::NoSuchUser`].
    pub fn user(&self, name: &UserName) -> Result<&Arc<User>, Refusal> {
        self.users
            .get(name)
            .ok_or_else(|| Refusal::NoSuchUser { user: name.clone() })
    }

    /// The issuer of that name.
    ///
    /// # Errors
    /// [`Refusal::NoSuchIssuer`].
    pub fn issuer(&self, name: &IssuerName) -> Result<&Arc<Issuer>, Refusal> {
        self.issuers
            .get(name)
            .ok_or_else(|| Refusal::NoSuchIssuer { issuer: name.clone() })
    }

    /// What was issued to this subject until then counts no more; nothing where they were never signed out.
    #[must_use]
    pub fn signed_out(&self, subject: &str) -> Option<SignedOut> {
        self.signed_out.get(subject).copied()
    }

    /// How a token of ours or of an issuer's is known in [`revoked`](Self::revoked).
    #[must_use]
    pub fn token_id(issuer: Option<&IssuerName>, jti: &str) -> String {
        format!("{}/{jti}", issuer.map_or("-", IssuerName::as_str))
    }

    /// How many can do everything and never expire: people in the role of owner, and keys.
    pub(crate) fn owners(&self) -> usize {
        let users = self
            .users
            .values()
            .filter(|user| user.roles.contains(&Role::Owner))
            .count();
        let keys = self.keys.values().filter(|key| key.is_owner()).count();
        users + keys
    }
}

/// A text from outside may be anything, of any length; an error repeats only its beginning.
fn shown(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}
