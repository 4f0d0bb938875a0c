//! Who calls, what they saw, and why they ask: the parts that every change has in common.

use super::App;
use super::access::{may, refusal};
use super::problem::Problem;
use crate::journaling::{Asked, Here};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use einthoven_auth::{Principal, Scope};
use einthoven_onboard::By;
use std::sync::Arc;

/// Header with whom a request is about: the same one gets the same version for as long as an experiment goes on.
const SUBJECT: &str = "x-einthoven-subject";

/// Longest reason, and longest name of a subject.
const LONGEST: usize = 500;

/// Who asks, what they may do, and the revision that a change was decided on.
pub(crate) struct Caller {
    principal: Principal,
    pub(crate) seen: Option<u64>,
    subject: Option<String>,
}

impl Caller {
    /// Whether they may do that with this model; refused with what they lack.
    pub(crate) fn may(&self, scope: Scope, model: &str) -> Result<(), Problem> {
        may(&self.principal, scope, Some(model))
    }

    /// Whether lists show them this model.
    pub(crate) fn sees(&self, model: &str) -> bool {
        self.principal.may_for(Scope::ModelsRead, model)
    }

    /// Whether they may have recordings computed by this model.
    pub(crate) fn uses(&self, model: &str) -> bool {
        self.principal.may_for(Scope::Predict, model)
    }

    /// Whether recordings that others sent to that model, and that are kept, may be looked at: by who labels them.
    pub(crate) fn reads_signals(&self, model: &str) -> bool {
        self.principal.may_for(Scope::Label, model)
    }

    /// Whether they may let versions of this model answer, or of any where it is not known which.
    pub(crate) fn may_promote(&self, model: Option<&str>) -> Result<(), Problem> {
        may(&self.principal, Scope::Traffic, model)
    }

    /// Whom traffic is dealt out by: the subject they name, or else themselves.
    pub(crate) fn subject(&self) -> &str {
        self.subject.as_deref().unwrap_or(self.principal.name())
    }

    /// The person that the request is about, as the caller calls them.
    pub(crate) fn person(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// That something about the person begins; none where nobody is named, or nothing is remembered.
    pub(crate) fn here(&self, app: &App) -> Option<Arc<Here>> {
        app.journaling.here(self.person())
    }

    /// The request as its entry in the journal will tell of it; none where nothing is remembered.
    pub(crate) fn asked(&self, app: &App) -> Option<Asked> {
        app.journaling.asked(self.principal.name(), self.here(app))
    }

    /// Who it is and what else they may do.
    pub(crate) fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The same as the access to this server takes it.
    pub(crate) fn access_by(&self, reason: Option<String>) -> Result<einthoven_auth::By, Problem> {
        let By { who, why } = self.by(reason)?;
        let seen = self.seen;
        Ok(einthoven_auth::By { who, why, seen })
    }

    /// With the reason given; empty where none was.
    pub(crate) fn by(&self, reason: Option<String>) -> Result<By, Problem> {
        let why = reason.unwrap_or_default().trim().to_owned();
        if why.len() > LONGEST || why.contains(char::is_control) {
            let detail = format!("`reason` must be one line of at most {LONGEST} bytes");
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_field", detail).at("reason"));
        }
        Ok(By {
            who: self.principal.name().to_owned(),
            why,
        })
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // There is none on a route that is open.
        let principal = parts.extensions.get::<Principal>();
        Ok(Self {
            principal: principal.cloned().ok_or_else(|| refusal::nobody(true))?,
            seen: seen(&parts.headers)?,
            subject: subject(&parts.headers)?,
        })
    }
}

/// Who the recording is of, as the caller calls them; it goes into hashes and nowhere else.
fn subject(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(SUBJECT) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text.is_empty() || text.len() > LONGEST {
        let detail = format!("the header {SUBJECT} must hold 1 to {LONGEST} printable ASCII characters");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_header", detail).at(SUBJECT));
    }
    Ok(Some(text.to_owned()))
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
