//! Who calls, what they saw, and why they ask: the parts that every change has in common.

use super::problem::Problem;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use einthoven_onboard::By;

/// Header with the name of who asks. Names are stated, not proven: the server answers its own machine alone.
const WHO: &str = "x-einthoven-who";

/// Who asks where nobody is named.
const NOBODY: &str = "local";

/// Longest name and longest reason.
const LONGEST: usize = 500;

/// Who asks for a change, and the revision it was decided on.
pub(crate) struct Caller {
    who: String,
    pub(crate) seen: Option<u64>,
}

impl Caller {
    /// With the reason given; empty where none was.
    pub(crate) fn by(&self, reason: Option<String>) -> Result<By, Problem> {
        let why = reason.unwrap_or_default().trim().to_owned();
        if why.len() > LONGEST || why.contains(char::is_control) {
            let detail = format!("`reason` must be one line of at most {LONGEST} bytes");
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_field", detail).at("reason"));
        }
        Ok(By {
            who: self.who.clone(),
            why,
        })
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self {
            who: who(&parts.headers)?,
            seen: seen(&parts.headers)?,
        })
    }
}

fn who(headers: &HeaderMap) -> Result<String, Problem> {
    let Some(value) = headers.get(WHO) else {
        return Ok(NOBODY.to_owned());
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text.is_empty() || text.len() > LONGEST {
        let detail = format!("the header {WHO} must be a name of 1 to {LONGEST} printable ASCII characters");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_header", detail).at(WHO));
    }
    Ok(text.to_owned())
}

/// `If-Match: "12"`; `*` asks for nothing that the address does not ask for already.
fn seen(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH).filter(|value| *value != "*") else {
        return Ok(None);
    };
    let tag = value
        .to_str()
        .ok()
        .and_then(|text| text.trim().strip_prefix('"')?.strip_suffix('"'));
    let revision = tag.and_then(|tag| tag.parse().ok());
    revision.map(Some).ok_or_else(|| {
        let detail = "If-Match must be one ETag as this server gave it, in quotes";
        Problem::new(StatusCode::BAD_REQUEST, "bad_header", detail).at("if-match")
    })
}

/// The ETag of a revision.
pub(crate) fn etag(revision: u64) -> (header::HeaderName, HeaderValue) {
    // Digits in quotes always are a header's value.
    let value = HeaderValue::from_str(&format!("\"{revision}\"")).unwrap_or(HeaderValue::from_static("\"0\""));
    (header::ETAG, value)
}
