//! Errors as RFC 9457 problem documents; the one place that maps causes to answers.

use crate::input::InputError;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use einthoven_classify::ClassifyError;
use einthoven_onboard::OnboardError;
use einthoven_plugin_host::Code;
use einthoven_registry::{ChangeError, OpenError};
use einthoven_registry_files::FilesError;
use einthoven_registry_mlflow::Error as MlflowError;
use einthoven_registry_state::{NameError, Refusal, StoredFile};
use einthoven_serving::ServingError;
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

impl From<tokio::task::JoinError> for Problem {
    /// Without what a panic said, which could be anything of a recording; where it was has been logged.
    fn from(error: tokio::task::JoinError) -> Self {
        let ended = if error.is_panic() { "panicked" } else { "was ended" };
        Self::internal(&format_args!("the work for it {ended}"))
    }
}

impl From<InputError> for Problem {
    fn from(error: InputError) -> Self {
        let detail = error.to_string();
        let lacks = match &error {
            InputError::Read(cause) => cause.lacks(),
            _ => None,
        };
        let (status, code, pointer) = match &error {
            InputError::Intake(cause) => (status_of(cause.code()), cause.code(), None),
            InputError::Read(cause) => (status_of(cause.code()), cause.code(), cause.field()),
            InputError::Plugin(failure) => match failure.code {
                Code::InvalidArgument | Code::Unsupported | Code::NotFound => {
                    let field = asked_for(&detail);
                    let missing = matches!(field, Some("sampling_rate" | "unit"));
                    let code = if missing { "missing_field" } else { "unreadable" };
                    (StatusCode::UNPROCESSABLE_ENTITY, code, field)
                }
                Code::ResourceExhausted => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", None),
                _ => return Self::internal(failure),
            },
            InputError::Classify(ClassifyError::NoSuchLead { .. }) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "no_such_lead", Some("lead"))
            }
            InputError::Classify(ClassifyError::WrongKind { .. }) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "wrong_kind", Some("model"))
            }
            InputError::Classify(ClassifyError::TensorsOnly { .. }) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "tensors_only", Some("model"))
            }
            InputError::Classify(ClassifyError::Busy { retry_after }) => {
                let seconds = u32::try_from(retry_after.as_secs() + 1).unwrap_or(u32::MAX);
                return Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).retry_after(seconds);
            }
            InputError::Classify(ClassifyError::Late) => (StatusCode::GATEWAY_TIMEOUT, "too_late", None),
            InputError::Classify(ClassifyError::Recipe(_)) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "rate_out_of_range",
                Some("sampling_rate"),
            ),
            InputError::Classify(cause) => return Self::internal(cause),
        };
        let mut problem = Self::new(status, code, detail);
        problem.errors.extend(pointer.map(|pointer| FieldError {
            pointer: pointer.to_owned(),
            detail: lacks.unwrap_or_else(|| problem.detail.clone()),
        }));
        problem
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (status, code) = match &refusal {
            Refusal::NoSuchModel { .. } => (StatusCode::NOT_FOUND, "no_such_model"),
            Refusal::NoSuchVersion { .. } => (StatusCode::NOT_FOUND, "no_such_version"),
            Refusal::NoSuchAlias { .. } => (StatusCode::NOT_FOUND, "no_such_alias"),
            Refusal::NoSuchSource { .. } => (StatusCode::NOT_FOUND, "no_such_source"),
            Refusal::NoSuchKey { .. } => (StatusCode::NOT_FOUND, "no_such_key"),
            Refusal::NoSuchUser { .. } => (StatusCode::NOT_FOUND, "no_such_user"),
            Refusal::NoSuchIssuer { .. } => (StatusCode::NOT_FOUND, "no_such_issuer"),
            Refusal::KeyExists { .. } | Refusal::UserExists { .. } | Refusal::SameIssuer { .. } => {
                (StatusCode::CONFLICT, "exists_already")
            }
            Refusal::NoSuchExperiment { .. } => (StatusCode::NOT_FOUND, "no_such_experiment"),
            Refusal::ExperimentExists { .. } => (StatusCode::CONFLICT, "exists_already"),
            Refusal::ExperimentRuns { .. } => (StatusCode::CONFLICT, "experiment_runs"),
            Refusal::ExperimentEnded { .. } => (StatusCode::CONFLICT, "experiment_ended"),
            Refusal::Cooling { .. } => (StatusCode::CONFLICT, "cooling"),
            Refusal::LastOwner => (StatusCode::CONFLICT, "last_owner"),
            Refusal::AccessField { field, .. } => {
                let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_field", refusal.to_string());
                return problem.at(*field);
            }
            Refusal::ModelExists { .. } | Refusal::VersionExists { .. } => (StatusCode::CONFLICT, "exists_already"),
            Refusal::SameContent { .. } | Refusal::SameOrigin { .. } => (StatusCode::CONFLICT, "same_content"),
            Refusal::WrongPhase { .. } => (StatusCode::CONFLICT, "wrong_state"),
            Refusal::PointedAt { .. } => (StatusCode::CONFLICT, "pointed_at"),
            Refusal::NothingServes { .. } => (StatusCode::CONFLICT, "nothing_serves"),
            Refusal::BadTraffic { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "bad_traffic"),
            Refusal::NothingBefore { .. } => (StatusCode::CONFLICT, "nothing_before"),
            Refusal::Gate { .. } => (StatusCode::CONFLICT, "gate"),
            Refusal::ChangedMeanwhile { .. } => (StatusCode::CONFLICT, "changed_meanwhile"),
            Refusal::TooLong { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "too_long"),
            _ => (StatusCode::CONFLICT, "refused"),
        };
        Self::new(status, code, refusal.to_string())
    }
}

impl From<NameError> for Problem {
    fn from(error: NameError) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_name", error.to_string())
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Refused(refusal) => refusal.into(),
            ChangeError::Unknown(cause) => {
                tracing::error!("whether a change was made is not known: {cause}");
                let detail = "the change may or may not have been made; look at what is there before you ask again";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "outcome_unknown", detail)
            }
            // What failed is the operator's to know; that nothing was changed is the caller's.
            cause => {
                tracing::error!("{cause}");
                Self::busy("the change could not be written down and was not made; the server's log says why")
            }
        }
    }
}

impl From<OpenError> for Problem {
    fn from(error: OpenError) -> Self {
        Self::internal(&error)
    }
}

impl From<FilesError> for Problem {
    fn from(error: FilesError) -> Self {
        if let FilesError::Corrupt { .. } = error {
            tracing::error!("{error}");
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, "file_corrupt", error.to_string());
        }
        let status = match error.code() {
            "too_large" => StatusCode::PAYLOAD_TOO_LARGE,
            "bad_digest" | "unsafe_file_name" | "damaged_archive" => StatusCode::UNPROCESSABLE_ENTITY,
            "upload_cut" => StatusCode::BAD_REQUEST,
            "file_missing" => StatusCode::NOT_FOUND,
            _ => return Self::internal(&error),
        };
        Self::new(status, error.code(), error.to_string())
    }
}

impl From<ServingError> for Problem {
    fn from(error: ServingError) -> Self {
        let (status, code) = match error {
            ServingError::Refused(refusal) => return refusal.into(),
            ServingError::NotReady { .. } => (StatusCode::CONFLICT, "not_ready"),
            ServingError::NoRoom { .. } => (StatusCode::INSUFFICIENT_STORAGE, "no_room"),
            ServingError::Files { .. } => (StatusCode::SERVICE_UNAVAILABLE, "file_corrupt"),
            ServingError::Load { .. } | ServingError::NoEngine { .. } => {
                (StatusCode::SERVICE_UNAVAILABLE, "not_loaded")
            }
            _ => return Self::internal(&error),
        };
        if status.is_server_error() {
            tracing::error!("{error}");
        }
        Self::new(status, code, error.to_string())
    }
}

impl From<OnboardError> for Problem {
    fn from(error: OnboardError) -> Self {
        let detail = error.to_string();
        let unprocessable = |code| Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail.clone());
        match error {
            OnboardError::NotAVersion(_) => unprocessable("not_a_version"),
            OnboardError::RefusedFormat(_) => unprocessable("refused_format"),
            OnboardError::Unloadable(_) => unprocessable("unloadable"),
            OnboardError::Settings { .. } => unprocessable("bad_settings"),
            OnboardError::Incomplete { problems, draft, files } => {
                let mut problem = unprocessable("incomplete_manifest");
                problem.errors = problems
                    .into_iter()
                    .map(|field| FieldError {
                        pointer: field.pointer,
                        detail: field.detail,
                    })
                    .collect();
                problem.known = (!draft.is_null()).then(|| Box::new(Known { draft, files }));
                problem
            }
            OnboardError::Files(cause) => cause.into(),
            OnboardError::Change(cause) => cause.into(),
            OnboardError::Serving(cause) => cause.into(),
            OnboardError::Mlflow(cause) => cause.into(),
            cause => Self::internal(&cause),
        }
    }
}

impl From<MlflowError> for Problem {
    /// What MLflow said, as a gateway says it.
    fn from(error: MlflowError) -> Self {
        let (status, code) = match error {
            MlflowError::NoModel { .. }
            | MlflowError::NoVersion { .. }
            | MlflowError::NoAlias { .. }
            | MlflowError::NotFound { .. } => (StatusCode::NOT_FOUND, "not_in_mlflow"),
            MlflowError::Reference { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "bad_reference"),
            MlflowError::Refused(_) => (StatusCode::UNPROCESSABLE_ENTITY, "refused_format"),
            MlflowError::Settings { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "bad_settings"),
            MlflowError::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            _ => (StatusCode::BAD_GATEWAY, "mlflow"),
        };
        Self::new(status, code, error.to_string())
    }
}

/// The field a plugin reader asks for: its name in backticks, as callers give it.
fn asked_for(detail: &str) -> Option<&'static str> {
    [("`rate`", "sampling_rate"), ("`unit`", "unit"), ("`record`", "record")]
        .into_iter()
        .find(|(given, _)| detail.contains(given))
        .map(|(_, field)| field)
}

fn status_of(code: &str) -> StatusCode {
    match code {
        "too_large" => StatusCode::PAYLOAD_TOO_LARGE,
        "empty_file" => StatusCode::BAD_REQUEST,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}
