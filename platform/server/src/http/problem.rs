//! Errors as RFC 9457 problem documents.

mod causes;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use einthoven_registry_state::StoredFile;
use einthoven_telemetry::ProblemType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What was wrong, for programs (`type`, `errors[].pointer`) and for people (`detail`).
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: Box<str>,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    errors: Vec<FieldError>,
    #[serde(flatten)]
    known: Option<Box<Known>>,
    #[serde(skip)]
    retry_after_s: Option<u32>,
    /// A further line of the answer's header. In a box, as errors are small.
    #[serde(skip)]
    pub(super) header: Option<Box<(HeaderName, HeaderValue)>>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct FieldError {
    pointer: String,
    detail: String,
}

/// What is known of a version whose manifest lacks something.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Known {
    /// Its manifest as far as it goes.
    draft: serde_json::Value,
    /// The files that came, by which it can be asked for again without sending them.
    files: Vec<StoredFile>,
}

impl Problem {
    /// A problem of a stable code, such as `missing_field`.
    pub(crate) fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        let title = code.replace('_', " ").into_boxed_str();
        Self {
            kind: format!("/problems/{code}"),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            known: None,
            retry_after_s: None,
            header: None,
        }
    }

    /// Names the field that was missing or wrong.
    pub(crate) fn at(mut self, pointer: impl Into<String>) -> Self {
        self.errors.push(FieldError {
            pointer: pointer.into(),
            detail: self.detail.clone(),
        });
        self
    }

    /// Says after how many seconds to ask again.
    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Its status.
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Its stable code, such as `missing_field`.
    pub(crate) fn code(&self) -> &str {
        self.kind.rsplit('/').next().unwrap_or_default()
    }

    /// What was wrong, for people.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// What is known of a manifest that lacks something.
    pub(crate) fn draft(&self) -> Option<&serde_json::Value> {
        self.known.as_ref().map(|known| &known.draft)
    }

    /// After how many seconds to ask again.
    pub(crate) fn retry_after_s(&self) -> Option<u32> {
        self.retry_after_s
    }

    pub(crate) fn busy(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).retry_after(5)
    }

    pub(crate) fn too_large(limit_bytes: usize) -> Self {
        let detail = format!(
            "the upload is larger than {limit_bytes} bytes; send a shorter recording or raise --max-upload-mib"
        );
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no {what}"))
    }

    /// A fault of the server's: said without particulars, logged with them.
    pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the server could not answer; its log says why",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        headers.extend(self.header.as_deref().cloned());
        let word = self.code();
        response.extensions_mut().insert(ProblemType {
            kind: word.into(),
            status: self.status,
        });
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// Paths whose clients look for `error` in what refuses them, as the Open Inference Protocol and MLflow have it.
const SAY_ERROR: [&str; 2] = ["/v2", "/invocations"];

/// The end of paths whose clients look for `error_code` and `message` too, as MLflow has them.
const SAY_MESSAGE: &str = "/invocations";

/// How the clients of a path look for what went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    /// As RFC 9457 has it.
    Problem,
    /// In `error`, too.
    Error,
    /// In `error`, `error_code` and `message`, too.
    Message,
}

impl Words {
    /// Those of this path's clients.
    pub(crate) fn of(path: &str) -> Self {
        let below = |at: &str| {
            path.strip_prefix(at)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if path.ends_with(SAY_MESSAGE) {
            Self::Message
        } else if SAY_ERROR.iter().any(|at| below(at)) {
            Self::Error
        } else {
            Self::Problem
        }
    }

    /// Says a problem in these words, whoever refused.
    pub(crate) fn say(self, response: &mut Response) {
        if self == Self::Problem {
            return;
        }
        let Some(problem) = response.extensions_mut().remove::<Arc<Problem>>() else {
            return;
        };
        let mut body = serde_json::to_value(&*problem).unwrap_or_default();
        body["error"] = problem.detail.as_str().into();
        if self == Self::Message {
            body["error_code"] = match problem.status {
                400..500 => "BAD_REQUEST",
                503 => "TEMPORARILY_UNAVAILABLE",
                _ => "INTERNAL_ERROR",
            }
            .into();
            body["message"] = problem.detail.as_str().into();
        }
        *response.body_mut() = body.to_string().into();
    }
}
