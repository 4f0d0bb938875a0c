//! What a server asks.

use crate::credential::{Begun, By, Credential, Session, Token};
use crate::error::{AuthError, LoginError, Refused, TooMany};
use crate::principal::Principal;
use crate::settings::Settings;
use einthoven_registry::Registry;
use einthoven_registry_state::{Grant, Issuer, IssuerName, IssuerSettings, Key, KeySpec, Rate, Role, User, UserName};
use jiff::Timestamp;
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Who calls and what they may do. Cheap to clone.
#[derive(Clone)]
pub struct Auth(Arc<Inner>);

struct Inner {
    settings: Settings,
    registry: Registry,
}

impl Auth {
    /// Reads or makes the signing key, sets the owner's key, and starts following issuers.
    ///
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`AuthError`] where a setting is wrong, the folder cannot be used or the registry takes no changes.
    pub async fn open(settings: Settings, registry: Registry) -> Result<Self, AuthError> {
        settings.check()?;
        Ok(Self(Arc::new(Inner { settings, registry })))
    }

    /// Who this is.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn authenticate(&self, _credential: Credential<'_>) -> Result<Principal, Refused> {
        Err(Refused::Unknown)
    }

    /// Counts a request of a key with a rate.
    ///
    /// # Errors
    /// [`TooMany`] with when to come again.
    pub fn meter(&self, principal: &Principal) -> Result<(), TooMany> {
        principal.meter().map_or(Ok(()), |meter| meter.take())
    }

    /// Whether anybody can prove who they are: a key, a user or an issuer exists.
    #[must_use]
    pub fn configured(&self) -> bool {
        self.0.registry.glance().access.is_configured()
    }

    /// Makes a key. Its text is given once, here.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn create_key(&self, _by: By, _key: KeySpec) -> Result<(Arc<Key>, SecretString), AuthError> {
        Err(unfinished())
    }

    /// Says anew what a key allows.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn change_key(
        &self,
        _by: By,
        _id: &str,
        _grants: Vec<Grant>,
        _rate: Option<Rate>,
        _expires_at: Option<Timestamp>,
    ) -> Result<Arc<Key>, AuthError> {
        Err(unfinished())
    }

    /// Refuses a key from now on.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn revoke_key(&self, _by: By, _id: &str) -> Result<(), AuthError> {
        Err(unfinished())
    }

    /// All keys, by id.
    #[must_use]
    pub fn list_keys(&self) -> Vec<Arc<Key>> {
        self.0.registry.glance().access.keys.values().cloned().collect()
    }

    /// Adds somebody who signs in with a password.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn create_user(
        &self,
        _by: By,
        _name: UserName,
        _password: SecretString,
        _roles: Vec<Role>,
    ) -> Result<Arc<User>, AuthError> {
        Err(unfinished())
    }

    /// Gives them another password, and ends their sessions.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn set_password(
        &self,
        _by: By,
        _name: &UserName,
        _password: SecretString,
    ) -> Result<Arc<User>, AuthError> {
        Err(unfinished())
    }

    /// Says anew what they do here.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn set_roles(&self, _by: By, _name: &UserName, _roles: Vec<Role>) -> Result<Arc<User>, AuthError> {
        Err(unfinished())
    }

    /// Removes them; their sessions and tokens count no more.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn delete_user(&self, _by: By, _name: &UserName) -> Result<(), AuthError> {
        Err(unfinished())
    }

    /// All users, by name.
    #[must_use]
    pub fn list_users(&self) -> Vec<Arc<User>> {
        self.0.registry.glance().access.users.values().cloned().collect()
    }

    /// Begins a session.
    ///
    /// # Errors
    /// [`LoginError`].
    pub async fn login(&self, _name: &str, _password: &SecretString) -> Result<Session, LoginError> {
        Err(LoginError::Failed)
    }

    /// A session that goes on longer, where this one has used up some of its time; nothing where its cookie is good enough,
    /// or no good at all.
    #[must_use]
    pub fn renew(&self, _cookie: &str) -> Option<Session> {
        None
    }

    /// Ends the session, or revokes the token, that this principal came with.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn end(&self, _by: By, _principal: &Principal) -> Result<(), AuthError> {
        Err(unfinished())
    }

    /// Ends all sessions of a subject (`user:ana`, `oidc:lab:4711`) and revokes all that was issued to it until now.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn end_all(&self, _by: By, _subject: &str) -> Result<(), AuthError> {
        Err(unfinished())
    }

    /// Revokes one token of ours, by its `jti`, or of an issuer's.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn revoke_token(
        &self,
        _by: By,
        _issuer: Option<&IssuerName>,
        _jti: &str,
        _until: Timestamp,
    ) -> Result<(), AuthError> {
        Err(unfinished())
    }

    /// A token for [`redeem_link`](Self::redeem_link), to be printed at start; any earlier one counts no more.
    ///
    /// # Errors
    /// [`AuthError::System`].
    pub fn owner_link(&self) -> Result<SecretString, AuthError> {
        Err(unfinished())
    }

    /// Begins a session that may do everything; once.
    ///
    /// # Errors
    /// [`LoginError::Stale`].
    pub async fn redeem_link(&self, _token: &str) -> Result<Session, LoginError> {
        Err(LoginError::Failed)
    }

    /// Issues a token; its lifetime is cut to an hour.
    ///
    /// # Errors
    /// [`AuthError::TooMuch`] where the principal may not do all of it.
    pub fn issue(&self, _to: &Principal, _wanted: &[Grant], _ttl: Duration) -> Result<Token, AuthError> {
        Err(unfinished())
    }

    /// The public keys that verify tokens of ours, as a JWK set (RFC 7517).
    #[must_use]
    pub fn jwks(&self) -> serde_json::Value {
        serde_json::json!({"keys": []})
    }

    /// Signs with a new key from now on.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn rotate(&self, _by: By) -> Result<(), AuthError> {
        Err(unfinished())
    }

    /// Adds or changes an issuer.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn set_issuer(
        &self,
        _by: By,
        _name: IssuerName,
        _settings: IssuerSettings,
    ) -> Result<Arc<Issuer>, AuthError> {
        Err(unfinished())
    }

    /// Takes no more of its tokens.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn remove_issuer(&self, _by: By, _name: &IssuerName) -> Result<(), AuthError> {
        Err(unfinished())
    }

    /// All issuers, by name.
    #[must_use]
    pub fn list_issuers(&self) -> Vec<Arc<Issuer>> {
        self.0.registry.glance().access.issuers.values().cloned().collect()
    }

    /// Begins signing in at an issuer: the address to send the browser to, and what its cookie must hold until it is back.
    ///
    /// # Errors
    /// [`LoginError`].
    pub async fn begin_login(&self, _issuer: &IssuerName, _back: &Url) -> Result<Begun, LoginError> {
        Err(LoginError::Failed)
    }

    /// Ends it: with the `state` and `code` that the browser brought back, and what its cookie holds.
    ///
    /// # Errors
    /// [`LoginError`].
    pub async fn finish_login(&self, _cookie: &str, _state: &str, _code: &str) -> Result<Session, LoginError> {
        Err(LoginError::Failed)
    }
}

fn unfinished() -> AuthError {
    AuthError::System("not there yet".to_owned())
}
