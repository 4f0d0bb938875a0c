//! What callers send, and what they are given.

use crate::principal::Principal;
use jiff::Timestamp;
use secrecy::SecretString;
use std::fmt;

/// What came with a request.
#[derive(Clone, Copy)]
pub enum Credential<'a> {
    /// After `Authorization: Bearer`: a token, or an API key.
    Bearer(&'a str),
    /// In `X-Api-Key`.
    ApiKey(&'a str),
    /// The value of the page's cookie.
    Session(&'a str),
}

impl fmt::Debug for Credential<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Bearer(_) => "Bearer(…)",
            Self::ApiKey(_) => "ApiKey(…)",
            Self::Session(_) => "Session(…)",
        })
    }
}

/// A session that has begun, or was prolonged.
#[derive(Debug, Clone)]
pub struct Session {
    /// For the cookie; URL-safe letters, digits, `-`, `_` and `.` alone.
    pub cookie: SecretString,
    /// Whose it is.
    pub principal: Principal,
    /// When it ends, unless it is prolonged before.
    pub expires_at: Timestamp,
}

/// A token that was issued.
#[derive(Debug, Clone)]
pub struct Token {
    /// The JWT.
    pub token: SecretString,
    /// Its `jti`, by which it can be revoked.
    pub id: String,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// Who changes something, and why.
#[derive(Debug, Clone)]
pub struct By {
    /// Their name.
    pub who: String,
    /// Their reason; may be empty.
    pub why: String,
    /// The revision of what they change, where they saw it; another by now refuses the change.
    pub seen: Option<u64>,
}

impl By {
    /// Without a reason.
    #[must_use]
    pub fn name(who: &str) -> Self {
        Self {
            who: who.to_owned(),
            why: String::new(),
            seen: None,
        }
    }
}

/// Signing in at an issuer has begun.
#[derive(Debug, Clone)]
pub struct Begun {
    /// Where the browser goes.
    pub address: url::Url,
    /// For a cookie that comes back with it: it binds the sign-in to this browser. Ten minutes are enough.
    pub cookie: SecretString,
}
