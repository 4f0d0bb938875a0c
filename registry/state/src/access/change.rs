//! What callers ask for.

use super::grant::Grant;
use super::issuer::IssuerSettings;
use super::key::{KeyDigest, KeySpec};
use super::user::{PasswordHash, Role};
use crate::name::{IssuerName, UserName};
use jiff::Timestamp;

/// A change of who may do what.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the fields are what their names and types say")]
pub enum AccessChange {
    /// Make a key.
    AddKey {
        id: String,
        digest: KeyDigest,
        key: KeySpec,
    },
    /// Say what the owner's key is.
    SetOwnerKey { digest: KeyDigest },
    /// Say anew what a key allows, how often and until when.
    ChangeKey {
        id: String,
        grants: Vec<Grant>,
        rate: Option<super::Rate>,
        expires_at: Option<Timestamp>,
    },
    /// Refuse a key from now on.
    RevokeKey { id: String },
    /// Add somebody who signs in with a password.
    AddUser {
        user: UserName,
        password: PasswordHash,
        roles: Vec<Role>,
    },
    /// Give them another password; ends their sessions.
    SetPassword { user: UserName, password: PasswordHash },
    /// Say anew what they do here.
    SetRoles { user: UserName, roles: Vec<Role> },
    /// Remove them.
    RemoveUser { user: UserName },
    /// Add or change an issuer.
    SetIssuer {
        issuer: IssuerName,
        settings: IssuerSettings,
    },
    /// Take no more of its tokens.
    RemoveIssuer { issuer: IssuerName },
    /// Publish the key that a server signs with from now on. What its key before signed counts `overlap_s` seconds longer.
    PublishSigningKey {
        server: String,
        kid: String,
        public: String,
        overlap_s: u32,
    },
    /// Refuse a token or a session, named as by [`Access::token_id`](super::Access::token_id), that expires at `until`.
    RevokeToken { token: String, until: Timestamp },
    /// Refuse what was issued to a subject until now.
    SignOut { subject: String },
}
