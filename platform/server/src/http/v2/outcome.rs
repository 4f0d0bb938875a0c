//! Why there are no outputs, as problems.

use crate::http::problem::Problem;
use axum::http::StatusCode;
use einthoven_dispatch::DispatchError;
use einthoven_oip::OipError;
use einthoven_plugin_host::{Code, Failure};
use std::time::Duration;

/// What is wrong with a request.
pub(crate) fn refused(error: OipError) -> Problem {
    let (field, detail) = (error.field(), error.to_string());
    match error {
        OipError::TooLarge { limit_bytes } => Problem::too_large(limit_bytes),
        OipError::Unsupported { .. } => Problem::new(StatusCode::BAD_REQUEST, "unsupported", detail).at(field),
        _ => Problem::new(StatusCode::BAD_REQUEST, "bad_request", detail).at(field),
    }
}

/// Inputs that the model does not take.
pub(crate) fn not_taken(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad_tensor", detail).at("inputs")
}

/// The time is over.
pub(crate) fn expired() -> Problem {
    let detail = "the time that the request gave passed before the model answered";
    Problem::new(StatusCode::GATEWAY_TIMEOUT, "deadline", detail)
}

pub(crate) fn failed(error: DispatchError) -> Problem {
    match error {
        DispatchError::Full { retry_after } => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "queue_full", error.to_string())
                .retry_after(seconds(retry_after))
        }
        DispatchError::Expired => expired(),
        DispatchError::Cancelled => {
            let status = StatusCode::from_u16(499).unwrap_or(StatusCode::REQUEST_TIMEOUT);
            Problem::new(status, "cancelled", error.to_string())
        }
        DispatchError::Invalid(failure) => not_taken(failure.message),
        DispatchError::Failed(failure) => engine(&failure),
        _ => Problem::busy(error.to_string()),
    }
}

fn engine(failure: &Failure) -> Problem {
    match failure.code {
        Code::InvalidArgument | Code::Unsupported => not_taken(failure.message.clone()),
        Code::DeadlineExceeded => expired(),
        Code::Unavailable | Code::ResourceExhausted => {
            tracing::warn!(%failure, "an engine could not compute");
            Problem::busy("the engine cannot compute it now; the server's log says why")
        }
        _ => Problem::internal(failure),
    }
}

/// Whole seconds, rounded up; at least one.
fn seconds(duration: Duration) -> u32 {
    let whole = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    u32::try_from(whole).unwrap_or(u32::MAX).max(1)
}
