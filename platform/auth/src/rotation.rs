//! The signing key, published and replaced; and what else follows changes of the registry.

use crate::auth::{Auth, Inner};
use crate::credential::By;
use crate::error::AuthError;
use crate::sessions::seconds;
use crate::signer::Signer;
use crate::tokens;
use einthoven_registry_state::AccessChange;
use jiff::Timestamp;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::watch;

/// How often the age of the key is looked at.
const LOOK: Duration = Duration::from_secs(600);

impl Auth {
    /// Signs with a new key from now on. What the key before signed counts until it has expired.
    ///
    /// # Errors
    /// [`AuthError`]; the key before goes on signing.
    pub async fn rotate(&self, by: By) -> Result<(), AuthError> {
        let _alone = self.0.rotating.lock().await;
        self.replace(by).await
    }

    async fn replace(&self, by: By) -> Result<(), AuthError> {
        let signer = Signer::make(Some(&self.0.signer.load().server))?;
        // Written first and put in its place last: a server that is stopped in between finds the key before, which by then
        // signs no more, and replaces it at its start.
        let written = signer.write(&self.0.settings.folder)?;
        self.publish(by, &signer).await?;
        let placed = written.take_effect();
        self.0.signer.store(Arc::new(signer));
        placed
    }

    async fn publish(&self, by: By, signer: &Signer) -> Result<(), AuthError> {
        // As long as anything lives that the key before has signed, and a minute for clocks that differ.
        let longest = self.0.settings.session_idle.max(tokens::LONGEST) + Duration::from_secs(60);
        let change = AccessChange::PublishSigningKey {
            server: signer.server.clone(),
            kid: signer.kid.clone(),
            public: signer.public.clone(),
            overlap_s: u32::try_from(seconds(longest)).unwrap_or(u32::MAX),
        };
        self.change(by, change).await.map(drop)
    }

    /// Sees to it that this server's key is published, signs, and is not too old.
    pub(crate) async fn keep_signing(&self) -> Result<(), AuthError> {
        let by = || By::name("server");
        let _alone = self.0.rotating.lock().await;
        let signer = self.0.signer.load_full();
        let state = self.0.registry.state();
        match state.access.signing.get(&signer.kid) {
            None => self.publish(by(), &signer).await,
            // Replaced, by a server that was started on a copy of this one's folder or before it was stopped.
            Some(key) if key.until.is_some() => self.replace(by()).await,
            Some(key) => {
                let age = Timestamp::now().as_second().saturating_sub(key.from.as_second());
                if age >= seconds(self.0.settings.rotate_after) {
                    self.replace(by()).await?;
                }
                Ok(())
            }
        }
    }
}

/// Follows the registry until the server goes.
pub(crate) async fn follow(auth: Weak<Inner>, mut changed: watch::Receiver<u64>) {
    loop {
        tokio::select! {
            told = changed.changed() => if told.is_err() { return },
            () = tokio::time::sleep(LOOK) => {}
        }
        let Some(auth) = auth.upgrade().map(Auth) else { return };
        let state = auth.0.registry.state();
        auth.0.issuers.follow(&state.access);
        auth.0.keys.retain(&state.access);
        drop(state);
        if let Err(cause) = auth.keep_signing().await {
            tracing::error!("the signing key is not replaced: {cause}");
        }
    }
}
