//! Who calls: the way of every request.

use crate::apikey::{self, Keys, MARK};
use crate::cache::{Cache, Stamp};
use crate::credential::{By, Credential};
use crate::error::{AuthError, Refused, TooMany};
use crate::follow::Issuers;
use crate::issued::{self, SESSION, TOKEN};
use crate::jws::Jws;
use crate::login::Logins;
use crate::oidc;
use crate::password::Passwords;
use crate::principal::Principal;
use crate::settings::Settings;
use crate::signer::Signer;
use arc_swap::ArcSwap;
use einthoven_registry::{Asked, Done, Registry};
use einthoven_registry_state::{Access, AccessChange, Change};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use std::sync::Arc;
use tokio::task::AbortHandle;

/// Who calls and what they may do. Cheap to clone.
#[derive(Clone)]
pub struct Auth(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) registry: Registry,
    pub(crate) keys: Keys,
    pub(crate) cache: Cache,
    pub(crate) issuers: Issuers,
    pub(crate) logins: Logins,
    pub(crate) passwords: Passwords,
    pub(crate) signer: ArcSwap<Signer>,
    /// One rotation at a time.
    pub(crate) rotating: tokio::sync::Mutex<()>,
    follows: std::sync::OnceLock<AbortHandle>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(task) = self.follows.get() {
            task.abort();
        }
    }
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
        let signer = match Signer::read(&settings.folder)? {
            Some(signer) => signer,
            None => {
                let signer = Signer::make(None)?;
                signer.write(&settings.folder)?.take_effect()?;
                signer
            }
        };
        let issuers = Issuers::new(settings.refresh, settings.refresh_least);
        let logins = Logins::new(settings.link);
        let auth = Self(Arc::new(Inner {
            settings,
            registry,
            keys: Keys::default(),
            cache: Cache::new(),
            issuers,
            logins,
            passwords: Passwords::new()?,
            signer: ArcSwap::from_pointee(signer),
            rotating: tokio::sync::Mutex::default(),
            follows: std::sync::OnceLock::new(),
        }));
        auth.keep_signing().await?;
        if let Some(key) = &auth.0.settings.owner_key {
            let digest = apikey::digest(key.expose_secret());
            let by = By {
                why: "set at the start of the server".to_owned(),
                ..By::name("server")
            };
            auth.change(by, AccessChange::SetOwnerKey { digest }).await?;
        }
        auth.0.issuers.follow(&auth.0.registry.state().access);
        let task = tokio::spawn(crate::rotation::follow(
            Arc::downgrade(&auth.0),
            auth.0.registry.changed(),
        ));
        // Set once, here.
        let _ = auth.0.follows.set(task.abort_handle());
        Ok(auth)
    }

    /// Who this is.
    ///
    /// # Errors
    /// [`Refused`].
    #[allow(clippy::unused_async, reason = "callers await it, so that it may come to wait")]
    pub async fn authenticate(&self, credential: Credential<'_>) -> Result<Principal, Refused> {
        self.authenticate_at(credential, Timestamp::now().as_second())
    }

    /// Who this is, `now` seconds after 1970. Never waits.
    pub(crate) fn authenticate_at(&self, credential: Credential<'_>, now: i64) -> Result<Principal, Refused> {
        let state = self.0.registry.glance();
        let access = &state.access;
        match credential {
            Credential::ApiKey(text) => self.0.keys.authenticate(access, text, now),
            // A token has two dots.
            Credential::Bearer(text) if text.starts_with(MARK) || text.matches('.').count() != 2 => {
                self.0.keys.authenticate(access, text, now)
            }
            Credential::Bearer(text) => self.token(access, text, TOKEN, now).or_else(|refused| match refused {
                // The owner's key may have two dots as well.
                Refused::Malformed => self.0.keys.authenticate(access, text, now).map_err(|_| refused),
                _ => Err(refused),
            }),
            Credential::Session(text) => self.token(access, text, SESSION, now),
        }
    }

    fn token(&self, access: &Access, text: &str, typ: &str, now: i64) -> Result<Principal, Refused> {
        // Read before anything is verified, so that a verdict never counts as newer than what it rests on.
        let stamp = Stamp {
            access: access.revision,
            issuers: self.0.issuers.changes(),
        };
        // A session is no token, nor the other way round: they are kept apart here as well.
        let mut digest = crate::random::digest(text);
        if typ == SESSION
            && let Some(byte) = digest.last_mut()
        {
            *byte ^= 1;
        }
        if let Some(principal) = self.0.cache.get(&digest, now, stamp) {
            return Ok(principal);
        }
        let jws = Jws::parse(text)?;
        let issuer = jws.text("iss").ok_or(Refused::Malformed)?;
        let (principal, refused_from) = if issuer == self.0.settings.issuer {
            issued::verify(&jws, typ, &self.0.settings, access, &self.0.keys, now)?
        } else if typ == TOKEN {
            let mut issuers = access.issuers.values();
            let issuer = issuers
                .find(|known| known.settings.issuer == issuer)
                .ok_or(Refused::Unknown)?;
            let followed = self.0.issuers.get(issuer).ok_or(Refused::Unknown)?;
            oidc::verify(&jws, &followed, access, now)?
        } else {
            return Err(Refused::Unknown);
        };
        self.0.cache.put(digest, principal.clone(), refused_from, now, stamp);
        Ok(principal)
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

    /// Has the registry make a change.
    pub(crate) async fn change(&self, by: By, change: AccessChange) -> Result<Done, AuthError> {
        let asked = Asked {
            who: by.who,
            why: by.why,
            change: Change::Access(change),
            seen: by.seen,
        };
        Ok(self.0.registry.change(asked).await?)
    }
}
