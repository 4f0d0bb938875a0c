//! What services there are, for tools such as `grpcurl`.

use super::answered;
use crate::http::problem::Problem;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use tonic_reflection::server::Builder;

fn described() -> Builder<'static> {
    Builder::configure()
        .register_encoded_file_descriptor_set(einthoven_oip::grpc::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

pub(super) async fn v1(request: Request) -> Response {
    match described().build_v1() {
        Ok(service) => answered(service, request).await,
        Err(cause) => Problem::internal(&cause).into_response(),
    }
}

/// The same under the name that older tools know.
pub(super) async fn v1alpha(request: Request) -> Response {
    match described().build_v1alpha() {
        Ok(service) => answered(service, request).await,
        Err(cause) => Problem::internal(&cause).into_response(),
    }
}
