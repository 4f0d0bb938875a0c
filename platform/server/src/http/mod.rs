//! The routes, one flat list; each handler file holds one resource.

mod classify;
mod flask;
mod plugins;
mod problem;
mod recordings;
mod samples;
mod system;
mod upload;

use crate::models::Models;
use crate::recordings::Recordings;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use problem::Problem;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tower_http::compression::CompressionLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};

/// What every handler shares.
pub(crate) struct App {
    pub(crate) models: Models,
    pub(crate) recordings: Recordings,
    /// Bytes of one request's body.
    pub(crate) body_limit: usize,
    /// KiB of bodies in memory at once, over all requests.
    pub(crate) upload_kib: Arc<Semaphore>,
    /// Heavy work at once.
    pub(crate) cores: Arc<Semaphore>,
}

impl App {
    pub(crate) fn new(models: Models, recordings: Recordings, body_limit: usize) -> Arc<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Arc::new(Self {
            models,
            recordings,
            body_limit,
            upload_kib: Arc::new(Semaphore::new(2 * body_limit.div_ceil(1024))),
            cores: Arc::new(Semaphore::new(cores)),
        })
    }
}

/// The whole service: page, API, health.
pub(crate) fn router(app: Arc<App>) -> Router {
    const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
    Router::new()
        .route("/v1/classify", post(classify::classify_recording))
        .route(
            "/v1/recordings",
            post(recordings::create_recording).get(recordings::list_recordings),
        )
        .route(
            "/v1/recordings/{id}",
            get(recordings::get_recording).delete(recordings::delete_recording),
        )
        .route("/v1/recordings/{id}/signal", get(recordings::get_signal))
        .route("/v1/recordings/{id}/annotations", get(recordings::get_annotations))
        .route("/v1/samples", get(samples::list_samples))
        .route("/v1/samples/{id}", post(samples::create_sample_recording))
        .route("/v1/models/{name}/engines", get(plugins::list_model_engines))
        .route("/v1/plugins", get(plugins::list_plugins))
        .route("/v1/system", get(system::get_system))
        .route("/v1/health/live", get(system::get_live))
        .route("/v1/health/ready", get(system::get_live))
        .route("/upload", post(flask::upload_csv))
        .with_state(app)
        .merge(einthoven_web::router())
        .fallback(no_such_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(axum::middleware::from_fn(own_host))
        // Bodies are bounded where they are read, with an answer that says so.
        .layer(DefaultBodyLimit::disable())
        .layer(CompressionLayer::new())
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
}

/// Refuses requests that were meant for another host: a page elsewhere could otherwise reach this server through a name
/// that it points at 127.0.0.1 (DNS rebinding).
async fn own_host(request: Request, next: Next) -> Response {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let name = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
        .map_or(host, |(name, _)| name);
    if ["localhost", "127.0.0.1", "[::1]"].contains(&name) {
        return next.run(request).await;
    }
    let detail = "this server answers to localhost, 127.0.0.1 and [::1] alone; open it by one of these";
    Problem::new(StatusCode::MISDIRECTED_REQUEST, "wrong_host", detail).into_response()
}

async fn wrong_method(method: Method, uri: Uri) -> impl IntoResponse {
    let detail = format!("{method} is not possible on {}; docs/http.md lists what is", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", detail)
}

async fn no_such_route(uri: Uri) -> impl IntoResponse {
    Problem::new(
        StatusCode::NOT_FOUND,
        "not_found",
        format!("there is no {}", uri.path()),
    )
}
