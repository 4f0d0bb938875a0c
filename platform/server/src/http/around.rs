//! What happens around every request, whichever route takes it.

use super::App;
use super::access::meant_here;
use super::hardened::harden;
use super::problem::Words;
use crate::grpc;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use einthoven_telemetry::{REQUEST_ID, own_request_id};
use std::sync::Arc;

/// Named, counted, answered, and the answer hardened.
pub(super) async fn around(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let id = own_request_id(request.headers_mut());
    let mut response = match &app.metrics {
        None => answered(&app, request, next).await,
        Some(metrics) => metrics.observe(request, |request| answered(&app, request, next)).await,
    };
    let headers = response.headers_mut();
    harden(headers, app.access.tls);
    headers.insert(REQUEST_ID, id);
    response
}

/// Refused before anything is done for it, or answered by its route; a refusal in words that this client understands.
async fn answered(app: &App, request: Request, next: Next) -> Response {
    let speaks_grpc = grpc::speaks(&request);
    let words = Words::of(request.uri().path());
    let addresses = app.addresses.as_ref();
    let passed = addresses
        .map_or(Ok(()), |addresses| addresses.meter(&request))
        .and_then(|()| meant_here(&app.access, &request));
    let mut response = match passed {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    };
    if speaks_grpc {
        response = grpc::as_status(response);
    }
    words.say(&mut response);
    response
}
