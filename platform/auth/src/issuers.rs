//! Issuers: set, removed, listed.

use crate::auth::Auth;
use crate::credential::By;
use crate::error::AuthError;
use crate::fetch;
use crate::keys::gone;
use einthoven_registry_state::{AccessChange, Issuer, IssuerName, IssuerSettings};
use std::path::Path;
use std::sync::Arc;

impl Auth {
    /// Adds or changes an issuer. Its keys are fetched soon; until then its tokens are refused.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn set_issuer(
        &self,
        by: By,
        name: IssuerName,
        settings: IssuerSettings,
    ) -> Result<Arc<Issuer>, AuthError> {
        self.sound(&settings)?;
        let issuer = name.clone();
        let done = self.change(by, AccessChange::SetIssuer { issuer, settings }).await?;
        self.0.issuers.follow(&self.0.registry.state().access);
        Ok(Arc::clone(done.state.access.issuer(&name).map_err(gone)?))
    }

    /// Takes no more of its tokens.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn remove_issuer(&self, by: By, name: &IssuerName) -> Result<(), AuthError> {
        let issuer = name.clone();
        self.change(by, AccessChange::RemoveIssuer { issuer }).await.map(drop)
    }

    /// All issuers, by name.
    #[must_use]
    pub fn list_issuers(&self) -> Vec<Arc<Issuer>> {
        self.0.registry.glance().access.issuers.values().cloned().collect()
    }

    /// How many keys of an issuer are known here; none where they were never fetched.
    #[must_use]
    pub fn keys_of(&self, issuer: &Issuer) -> Option<usize> {
        let published = self.0.issuers.get(issuer)?.published()?;
        Some(published.keys.len())
    }

    /// What the registry's own rules cannot see.
    fn sound(&self, settings: &IssuerSettings) -> Result<(), AuthError> {
        let wrong = |field, why: String| Err(AuthError::Field { field, why });
        if let Err(why) = fetch::safe(&settings.issuer) {
            return wrong("issuer", why);
        }
        if settings.issuer == self.0.settings.issuer {
            return wrong("issuer", "this is the server's own; its tokens count anyway".to_owned());
        }
        if let Some(Err(why)) = settings.jwks_uri.as_deref().map(fetch::safe) {
            return wrong("jwks_uri", why);
        }
        let secret = settings
            .login
            .as_ref()
            .and_then(|login| login.client_secret_file.as_deref());
        for (field, file) in [("ca_file", settings.ca_file.as_deref()), ("client_secret_file", secret)] {
            if let Some(file) = file
                && !Path::new(file).is_file()
            {
                return wrong(field, format!("there is no file {file:?} on the server"));
            }
        }
        Ok(())
    }
}
