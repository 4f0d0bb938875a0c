//! How a server authenticates.

use crate::error::AuthError;
use secrecy::{ExposeSecret, SecretString};
use std::path::PathBuf;
use std::time::Duration;

/// Fewest characters of the owner's key.
const SHORTEST_OWNER_KEY: usize = 16;

/// How a server authenticates. [`Settings::new`] gives what is usual.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the private half of the signing key is kept; made with mode 0700 where it is missing.
    pub folder: PathBuf,
    /// `iss` of tokens of our own: the address under which clients know this server.
    pub issuer: String,
    /// `aud` of tokens of our own.
    pub audience: String,
    /// The owner's key, from the environment or a file.
    pub owner_key: Option<SecretString>,
    /// A session that is not used that long ends. 12 h unless set.
    pub session_idle: Duration,
    /// A session ends after that time, however much it is used. 7 days unless set.
    pub session_longest: Duration,
    /// How long the owner's link can be used. 24 h unless set.
    pub link: Duration,
    /// The signing key is replaced when it is that old. 30 days unless set.
    pub rotate_after: Duration,
    /// Keys of issuers are fetched again after that time. 1 h unless set.
    pub refresh: Duration,
    /// They are not fetched more often than that, whatever tokens come. 1 min unless set.
    pub refresh_least: Duration,
}

impl Settings {
    /// What is usual.
    #[must_use]
    pub fn new(folder: PathBuf, issuer: &str) -> Self {
        let hours = |hours: u64| Duration::from_secs(3600 * hours);
        Self {
            folder,
            issuer: issuer.to_owned(),
            audience: "einthoven".to_owned(),
            owner_key: None,
            session_idle: hours(12),
            session_longest: hours(24 * 7),
            link: hours(24),
            rotate_after: hours(24 * 30),
            refresh: hours(1),
            refresh_least: Duration::from_secs(60),
        }
    }

    /// Checks what types cannot.
    ///
    /// # Errors
    /// [`AuthError::Field`] names the setting.
    pub fn check(&self) -> Result<(), AuthError> {
        let wrong = |field, why: &str| {
            let why = why.to_owned();
            Err(AuthError::Field { field, why })
        };
        if self.issuer.is_empty() || self.audience.is_empty() {
            return wrong("issuer", "the issuer and the audience of tokens are not empty");
        }
        if let Some(key) = &self.owner_key {
            let key = key.expose_secret();
            if key.chars().count() < SHORTEST_OWNER_KEY {
                return wrong(
                    "EINTHOVEN_OWNER_KEY",
                    "the owner's key is too short: 16 characters at least; `openssl rand -hex 32` makes a good one",
                );
            }
            if key.len() > 512 || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
                return wrong(
                    "EINTHOVEN_OWNER_KEY",
                    "the owner's key is at most 512 printable ASCII characters without spaces; it is sent in a header",
                );
            }
        }
        Ok(())
    }
}
