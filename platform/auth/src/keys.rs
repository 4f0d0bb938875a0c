//! API keys: made, changed, revoked.

use crate::apikey;
use crate::auth::Auth;
use crate::credential::By;
use crate::error::AuthError;
use einthoven_registry_state::{AccessChange, Grant, Key, KeySpec, Rate, Refusal};
use jiff::Timestamp;
use secrecy::SecretString;
use std::sync::Arc;

impl Auth {
    /// Makes a key. Its text is given once, here.
    ///
    /// # Errors
    /// [`AuthError`]; a key of that name is refused by the registry.
    pub async fn create_key(&self, by: By, key: KeySpec) -> Result<(Arc<Key>, SecretString), AuthError> {
        if key.expires_at.is_some_and(|expires| expires <= Timestamp::now()) {
            return Err(AuthError::Field {
                field: "expires_at",
                why: "it has passed already".to_owned(),
            });
        }
        let (id, digest, text) = apikey::make()?;
        let change = AccessChange::AddKey {
            id: id.clone(),
            digest,
            key,
        };
        let done = self.change(by, change).await?;
        Ok((Arc::clone(done.state.access.key(&id).map_err(gone)?), text))
    }

    /// Says anew what a key allows, how often and until when.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn change_key(
        &self,
        by: By,
        id: &str,
        grants: Vec<Grant>,
        rate: Option<Rate>,
        expires_at: Option<Timestamp>,
    ) -> Result<Arc<Key>, AuthError> {
        let change = AccessChange::ChangeKey {
            id: id.to_owned(),
            grants,
            rate,
            expires_at,
        };
        let done = self.change(by, change).await?;
        Ok(Arc::clone(done.state.access.key(id).map_err(gone)?))
    }

    /// Refuses a key from now on, and the tokens that were issued to it.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn revoke_key(&self, by: By, id: &str) -> Result<(), AuthError> {
        let done = self.change(by, AccessChange::RevokeKey { id: id.to_owned() }).await?;
        self.0.keys.retain(&done.state.access);
        Ok(())
    }

    /// All keys, by id.
    #[must_use]
    pub fn list_keys(&self) -> Vec<Arc<Key>> {
        self.0.registry.glance().access.keys.values().cloned().collect()
    }
}

/// What was just made is there.
pub(crate) fn gone(refusal: Refusal) -> AuthError {
    AuthError::Change(refusal.into())
}
