//! The routes, one flat list; each handler file holds one resource.

mod classify;
mod flask;
mod problem;
mod recordings;
mod samples;
mod system;
mod upload;

use crate::models::Models;
use crate::recordings::Recordings;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, StatusCode, Uri};
use axum::response::IntoResponse;
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
        .route("/v1/system", get(system::get_system))
        .route("/v1/health/live", get(system::get_live))
        .route("/v1/health/ready", get(system::get_live))
        .route("/upload", post(flask::upload_csv))
        .with_state(app)
        .merge(einthoven_web::router())
        .fallback(no_such_route)
        // Bodies are bounded where they are read, with an answer that says so.
        .layer(DefaultBodyLimit::disable())
        .layer(CompressionLayer::new())
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
}

async fn no_such_route(uri: Uri) -> impl IntoResponse {
    Problem::new(
        StatusCode::NOT_FOUND,
        "not_found",
        format!("there is no {}", uri.path()),
    )
}
