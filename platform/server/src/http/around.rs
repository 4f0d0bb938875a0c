//! What happens around every request, whichever route takes it.

use super::access::{Addresses, Settings, meant_here};
use super::hardened::harden;
use super::problem::Words;
use crate::grpc;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use einthoven_telemetry::{Metrics, REQUEST_ID, own_request_id};
use std::sync::Arc;

/// What it takes.
pub(super) struct Around {
    access: Arc<Settings>,
    /// How often each address asks, where that is counted.
    addresses: Option<Addresses>,
    metrics: Option<Metrics>,
}

impl Around {
    pub(super) fn new(access: Arc<Settings>, metrics: Option<Metrics>) -> Self {
        Self {
            addresses: access.address_rate.map(Addresses::new),
            access,
            metrics,
        }
    }

    /// Refused before anything is done for it, or answered by its route; a refusal in words that this client understands.
    async fn answer(&self, request: Request, next: Next) -> Response {
        let speaks_grpc = grpc::speaks(&request);
        let words = Words::of(request.uri().path());
        let addresses = self.addresses.as_ref();
        let passed = addresses
            .map_or(Ok(()), |addresses| addresses.meter(&request))
            .and_then(|()| meant_here(&self.access, &request));
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
}

/// The one layer: each further one would cost every request the allocations of a boxed service and its clones.
pub(super) async fn around(State(around): State<Arc<Around>>, mut request: Request, next: Next) -> Response {
    let id = own_request_id(request.headers_mut());
    let mut response = match &around.metrics {
        None => around.answer(request, next).await,
        Some(metrics) => {
            request.extensions_mut().insert(metrics.clone());
            metrics.observe(request, |request| around.answer(request, next)).await
        }
    };
    let headers = response.headers_mut();
    harden(headers, around.access.tls);
    headers.insert(REQUEST_ID, id);
    response
}
