//! What callers hear who may not do what they ask for.

use crate::http::problem::Problem;
use axum::http::{HeaderValue, StatusCode, header};
use einthoven_auth::{AuthError, LoginError, Principal, Refused, Scope, TooMany};

/// What every 401 names as the way in (RFC 6750).
const REALM: &str = "Bearer realm=\"einthoven\"";

/// No credential came.
pub(crate) fn nobody(configured: bool) -> Problem {
    let detail = if configured {
        "say who you are: an API key in `Authorization: Bearer` or `X-Api-Key`, or sign in at the page"
    } else {
        "say who you are: this server has no users and keys yet, so open the link that it printed when it started; for programs \
         start it with EINTHOVEN_OWNER_KEY set to a key of yours"
    };
    Problem::new(StatusCode::UNAUTHORIZED, "not_signed_in", detail).with(header::WWW_AUTHENTICATE, REALM)
}

/// A credential came that is none.
pub(crate) fn unreadable(detail: &str) -> Problem {
    refused(detail)
}

fn refused(detail: &str) -> Problem {
    let challenge = format!("{REALM}, error=\"invalid_token\"");
    Problem::new(StatusCode::UNAUTHORIZED, "credential_refused", detail).with(header::WWW_AUTHENTICATE, &challenge)
}

/// The credential is right, and not enough.
pub(crate) fn lacks(principal: &Principal, scope: Scope, model: Option<&str>) -> Problem {
    let who = principal.name();
    let detail = match model {
        Some(model) => format!("this needs the scope `{scope}` for the model `{model}`, which {who} does not have"),
        None if principal.may_some(scope) => {
            format!("this needs the scope `{scope}` for all models, which {who} has for some alone")
        }
        None => format!("this needs the scope `{scope}`, which {who} does not have"),
    };
    let challenge = format!("{REALM}, error=\"insufficient_scope\", scope=\"{scope}\"");
    Problem::new(StatusCode::FORBIDDEN, "missing_scope", detail)
        .at(scope.as_str())
        .with(header::WWW_AUTHENTICATE, &challenge)
}

impl From<Refused> for Problem {
    fn from(cause: Refused) -> Self {
        refused(&cause.to_string())
    }
}

impl From<TooMany> for Problem {
    fn from(cause: TooMany) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", cause.to_string())
            .retry_after(cause.retry_after_s())
    }
}

impl From<LoginError> for Problem {
    fn from(cause: LoginError) -> Self {
        let detail = cause.to_string();
        match cause {
            LoginError::TooMany(cause) => cause.into(),
            LoginError::Wrong => {
                Self::new(StatusCode::UNAUTHORIZED, "wrong_password", detail).with(header::WWW_AUTHENTICATE, REALM)
            }
            LoginError::Stale | LoginError::Unconfirmed => {
                Self::new(StatusCode::UNAUTHORIZED, "not_confirmed", detail).with(header::WWW_AUTHENTICATE, REALM)
            }
            LoginError::NoLogin(_) => Self::new(StatusCode::NOT_FOUND, "no_such_issuer", detail),
            cause => Self::internal(&cause),
        }
    }
}

impl From<AuthError> for Problem {
    fn from(cause: AuthError) -> Self {
        let detail = cause.to_string();
        match cause {
            AuthError::Change(cause) => cause.into(),
            AuthError::Field { field, .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_field", detail).at(field)
            }
            AuthError::TooMuch { .. } => Self::new(StatusCode::FORBIDDEN, "more_than_yours", detail).at("grants"),
            cause => Self::internal(&cause),
        }
    }
}

impl Problem {
    /// With a line in the header of the answer; what is no such line is left out.
    fn with(mut self, name: header::HeaderName, value: &str) -> Self {
        self.header = HeaderValue::from_str(value).ok().map(|value| Box::new((name, value)));
        self
    }
}
