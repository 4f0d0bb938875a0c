//! The Open Inference Protocol over gRPC, on the port of everything else. Each method is a route of the one table, so who may
//! call it is decided where that is decided for all; the rest of this is what the methods do.

mod health;
mod infer;
mod reflection;
mod refused;
mod service;
mod status;

use crate::http::App;
use crate::http::access::{Access, Table, post};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use einthoven_auth::Scope;
use einthoven_oip::grpc::pb::grpc_inference_service_server::GrpcInferenceServiceServer;
use std::sync::Arc;
use tonic::codec::CompressionEncoding::{Deflate, Gzip};
use tower::Service;

pub(crate) use refused::{as_status, speaks};

/// The routes. Which model a message is about is in the message: methods ask about it themselves.
pub(crate) fn routes(table: Table) -> Table {
    use Access::{NeedsForSome, Open, SignedIn};
    macro_rules! methods {
        ($table:expr, $($method:literal: $access:expr;)*) => {
            $table$(.route(concat!("/inference.GRPCInferenceService/", $method), [post($access, call)]))*
        };
    }
    methods!(table,
        "ServerLive": Open;
        "ServerReady": Open;
        "ModelReady": Open;
        "ServerMetadata": SignedIn;
        "ModelMetadata": SignedIn;
        "ModelConfig": SignedIn;
        "ModelInfer": NeedsForSome(Scope::Predict);
        "ModelStreamInfer": NeedsForSome(Scope::Predict);
        "ModelStatistics": NeedsForSome(Scope::ModelsRead);
        "RepositoryIndex": NeedsForSome(Scope::ModelsRead);
        "RepositoryModelLoad": NeedsForSome(Scope::Traffic);
        "RepositoryModelUnload": NeedsForSome(Scope::Traffic);
    )
    .route("/grpc.health.v1.Health/Check", [post(Open, health::call)])
    .route("/grpc.health.v1.Health/Watch", [post(Open, health::call)])
    .route(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        [post(SignedIn, reflection::v1)],
    )
    .route(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        [post(SignedIn, reflection::v1alpha)],
    )
}

async fn call(State(app): State<Arc<App>>, request: Request) -> Response {
    let limit = app.body_limit;
    let service = GrpcInferenceServiceServer::new(service::Inference { app })
        .max_decoding_message_size(limit)
        .max_encoding_message_size(usize::MAX)
        .accept_compressed(Gzip)
        .accept_compressed(Deflate)
        .send_compressed(Gzip)
        .send_compressed(Deflate);
    answered(service, request).await
}

/// A service's answer with a body as all others have.
async fn answered<S, B>(mut service: S, request: Request) -> Response
where
    S: Service<Request, Response = axum::http::Response<B>, Error = std::convert::Infallible>,
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    match service.call(request).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}
