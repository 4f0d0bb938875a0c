//! The one place that maps causes to answers.

use super::{FieldError, Known, Problem};
use crate::input::InputError;
use axum::http::StatusCode;
use einthoven_classify::ClassifyError;
use einthoven_onboard::OnboardError;
use einthoven_plugin_host::Code;
use einthoven_registry::{ChangeError, OpenError};
use einthoven_registry_files::FilesError;
use einthoven_registry_mlflow::Error as MlflowError;
use einthoven_registry_state::{NameError, Refusal};
use einthoven_serving::ServingError;

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
