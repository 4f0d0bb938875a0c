//! What was refused before a method saw it, said as clients of gRPC understand it.

use super::status;
use crate::http::problem::Problem;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::Response;
use std::sync::Arc;
use tonic::Code;

/// Whether a request speaks gRPC.
pub(crate) fn speaks(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// Turns a problem into a status, for whoever speaks gRPC.
pub(crate) fn as_status(response: Response) -> Response {
    let Some(problem) = response.extensions().get::<Arc<Problem>>().cloned() else {
        return response;
    };
    let mut said = status::of(&problem);
    // A path that is no route is a method that is not there; a model that is not there never comes this way.
    if problem.status() == StatusCode::NOT_FOUND {
        said = tonic::Status::with_metadata(Code::Unimplemented, said.message(), said.metadata().clone());
    }
    let (before, _) = response.into_parts();
    let mut answer = said.into_http::<Body>();
    *answer.extensions_mut() = before.extensions;
    // The body is not this problem any more, which layers further out would write anew.
    answer.extensions_mut().remove::<Arc<Problem>>();
    answer
}
