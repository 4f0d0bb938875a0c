//! What can go wrong, and what callers are told of it.

use einthoven_registry::ChangeError;
use std::time::Duration;

/// Why a credential is not taken. The texts are for callers: they say nothing that helps to guess one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// It is no key, token or session, whoever gave it.
    #[error("the credential is malformed; send the key or token as it was given")]
    Malformed,
    /// Nobody here gave it, or it was taken back.
    #[error("the credential is not known here, or was revoked")]
    Unknown,
    /// It was good once.
    #[error("the credential has expired; sign in again or ask for a new one")]
    Expired,
    /// It will be good.
    #[error("the token is not valid yet; compare the clocks")]
    NotYetValid,
    /// It was taken back.
    #[error("the credential was revoked")]
    Revoked,
    /// It is for somebody else.
    #[error("the token is for another audience")]
    WrongAudience,
}

impl Refused {
    /// A stable word for programs and metrics.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Revoked => "revoked",
            Self::WrongAudience => "wrong_audience",
        }
    }
}

/// Asked too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests; ask again in {} s", .retry_after.as_secs_f64().ceil())]
pub struct TooMany {
    /// When it may be asked again.
    pub retry_after: Duration,
}

impl TooMany {
    /// For the header `Retry-After`: whole seconds, at least 1.
    #[must_use]
    pub fn retry_after_s(&self) -> u32 {
        let seconds = self.retry_after.as_millis().div_ceil(1000).max(1);
        u32::try_from(seconds).unwrap_or(u32::MAX)
    }
}

/// Why nobody was signed in.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// Which of the two, nobody is told.
    #[error("the name or the password is wrong")]
    Wrong,
    /// Too many attempts for this name, or for the server.
    #[error("too many attempts; {0}")]
    TooMany(#[from] TooMany),
    /// A link or an attempt to sign in elsewhere was used before, is too old, or never was.
    #[error("this way to sign in was used already or is too old; begin anew")]
    Stale,
    /// The issuer did not confirm it.
    #[error("the issuer did not confirm who you are; begin anew")]
    Unconfirmed,
    /// There is no such issuer, or nobody can sign in by it.
    #[error("nobody can sign in by `{0}`")]
    NoLogin(String),
    /// Something here does not work; the server's log says what.
    #[error("signing in does not work now; the server's log says why")]
    Failed,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The registry did not take the change.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// A setting or a field is wrong.
    #[error("`{field}`: {why}")]
    Field {
        /// Which.
        field: &'static str,
        /// What is wrong and what to do.
        why: String,
    },
    /// More is asked for than the caller has.
    #[error("`{grant}` is more than you may do yourself; leave it out")]
    TooMuch {
        /// The grant that is not covered.
        grant: String,
    },
    /// A file of the signing key cannot be read or written.
    #[error("{}: {cause}; the server keeps its signing key there", .path.display())]
    Io {
        /// The file.
        path: std::path::PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The signing key cannot be used.
    #[error("the signing key in {} cannot be used: {why}; remove the file, and the server makes a new one", .path.display())]
    SigningKey {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The system gives no random numbers, or no more threads.
    #[error("{0}")]
    System(String),
}
