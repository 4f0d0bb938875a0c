//! Problems as statuses of gRPC.

use crate::http::problem::Problem;
use axum::http::StatusCode;
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

/// The status that says the same.
pub(super) fn of(problem: &Problem) -> Status {
    let (status, kind, detail) = (problem.status(), problem.code(), problem.detail());
    let mut said = Status::new(code(status, kind), detail);
    let metadata = said.metadata_mut();
    if let Ok(kind) = MetadataValue::try_from(kind) {
        metadata.insert("einthoven-problem", kind);
    }
    if let Some(seconds) = problem.retry_after_s() {
        metadata.insert("retry-after", MetadataValue::from(seconds));
    }
    said
}

fn code(status: StatusCode, kind: &str) -> Code {
    match status {
        // A model that nobody lets answer, as clients know it from servers where it is not loaded.
        _ if kind == "nothing_serves" => Code::Unavailable,
        _ if kind == "queue_full" => Code::ResourceExhausted,
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Code::InvalidArgument
        }
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN => Code::PermissionDenied,
        StatusCode::NOT_FOUND => Code::NotFound,
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => Code::Unimplemented,
        StatusCode::CONFLICT => Code::FailedPrecondition,
        StatusCode::PRECONDITION_FAILED => Code::Aborted,
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::TOO_MANY_REQUESTS | StatusCode::INSUFFICIENT_STORAGE => {
            Code::ResourceExhausted
        }
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY => Code::Unavailable,
        StatusCode::GATEWAY_TIMEOUT => Code::DeadlineExceeded,
        status if status.as_u16() == 499 => Code::Cancelled,
        _ => Code::Internal,
    }
}
