//! Tokens of our own.

use crate::auth::Auth;
use crate::credential::Token;
use crate::error::AuthError;
use crate::issued::{Origin, REVISION, TOKEN, counts, jwk};
use crate::principal::{Kind, Principal};
use crate::sessions::seconds;
use einthoven_registry_state::{Grant, covers};
use jiff::Timestamp;
use secrecy::SecretString;
use std::time::Duration;

/// Longest life of a token.
pub(crate) const LONGEST: Duration = Duration::from_secs(3600);

/// Most grants in one token.
const MOST_GRANTS: usize = 100;

impl Auth {
    /// Issues a token that may do what is wanted; its lifetime is cut to an hour. It counts no longer than the user, key or
    /// issuer it stands for, and never for more than that may do.
    ///
    /// # Errors
    /// [`AuthError::TooMuch`] where the principal may not do all of it; [`AuthError::Field`] where nothing is wanted, or the
    /// principal is nobody who can be asked for later.
    pub fn issue(&self, to: &Principal, wanted: &[Grant], ttl: Duration) -> Result<Token, AuthError> {
        let wrong = |field, why: &str| {
            let why = why.to_owned();
            AuthError::Field { field, why }
        };
        if wanted.is_empty() || wanted.len() > MOST_GRANTS {
            return Err(wrong(
                "scope",
                "say what the token is for: 1 to 100 grants, such as `predict:heartbeat`",
            ));
        }
        if let Some(grant) = wanted.iter().find(|wanted| !covers(to.grants(), wanted)) {
            let grant = grant.to_string();
            return Err(AuthError::TooMuch { grant });
        }
        if to.kind() == Kind::Local {
            return Err(wrong("authorization", "sign in first; a token stands for somebody"));
        }
        let (now, settings) = (Timestamp::now().as_second(), &self.0.settings);
        let access = std::sync::Arc::clone(&self.0.registry.glance().access);
        Origin::of(&access, to.name(), now).map_err(|refused| wrong("authorization", &refused.to_string()))?;
        // A token made by a token does not outlive it: else one that was taken would never die.
        let mut expires = now.saturating_add(seconds(ttl.min(LONGEST)).max(1));
        if let (Kind::Token, Some((_, until))) = (to.kind(), to.token()) {
            expires = expires.min(until.as_second());
        }
        let id = crate::random::text()?.to_string();
        let scope: Vec<_> = wanted.iter().map(ToString::to_string).collect();
        let claims = serde_json::json!({
            "iss": settings.issuer, "aud": settings.audience, "sub": to.name(), "jti": id, "client_id": "einthoven",
            "iat": now, "nbf": now, REVISION: to.revision().unwrap_or(access.revision), "exp": expires, "scope": scope.join(" "),
        });
        let token = self.0.signer.load().sign(TOKEN, &claims)?;
        Ok(Token {
            token: SecretString::from(token.as_str()),
            id,
            expires_at: Timestamp::from_second(expires).unwrap_or(Timestamp::MAX),
        })
    }

    /// The public keys that verify tokens of ours, as a JWK set (RFC 7517).
    #[must_use]
    pub fn jwks(&self) -> serde_json::Value {
        let now = Timestamp::now().as_second();
        let state = self.0.registry.glance();
        let keys = state.access.signing.values().filter(|key| counts(key, now));
        let keys: Vec<_> = keys.map(|key| jwk(key)).collect();
        serde_json::json!({ "keys": keys })
    }
}
