//! The routes, one flat list; each handler file holds one resource.

mod aliases;
mod audit;
mod body;
mod caller;
mod classify;
mod evaluations;
mod flask;
mod models;
mod plugins;
mod problem;
mod recordings;
mod samples;
mod sources;
mod system;
mod traffic;
mod upload;
mod version_upload;
mod versions;

use crate::engines::Plugins;
use crate::recordings::Recordings;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use caller::Caller;
use einthoven_onboard::{By, Onboarding};
use einthoven_registry::{Asked, Done, Registry};
use einthoven_registry_state::Change;
use einthoven_serving::Loaded;
use problem::Problem;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tower_http::compression::CompressionLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};

/// What every handler shares.
pub(crate) struct App {
    pub(crate) plugins: Plugins,
    pub(crate) loaded: Loaded,
    pub(crate) onboarding: Onboarding,
    pub(crate) recordings: Recordings,
    /// Bytes of one request's body.
    pub(crate) body_limit: usize,
    /// Bytes of one upload of a model, and of what it unpacks to.
    pub(crate) model_limit: u64,
    /// KiB of bodies in memory at once, over all requests.
    pub(crate) upload_kib: Arc<Semaphore>,
    /// Heavy work at once.
    pub(crate) cores: Arc<Semaphore>,
    /// Evaluations at once: each runs as long as its set is large, and classifying must go on meanwhile.
    pub(crate) evaluations: Arc<Semaphore>,
}

impl App {
    pub(crate) fn new(
        plugins: Plugins,
        onboarding: Onboarding,
        recordings: Recordings,
        body_limit: usize,
        model_limit: u64,
    ) -> Arc<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Arc::new(Self {
            plugins,
            loaded: onboarding.loaded().clone(),
            onboarding,
            recordings,
            body_limit,
            model_limit,
            upload_kib: Arc::new(Semaphore::new(2 * body_limit.div_ceil(1024))),
            cores: Arc::new(Semaphore::new(cores)),
            evaluations: Arc::new(Semaphore::new(1)),
        })
    }

    /// Makes a change that needs nothing loaded.
    pub(crate) async fn change(
        &self,
        caller: &Caller,
        reason: Option<String>,
        change: Change,
    ) -> Result<Done, Problem> {
        let By { who, why } = caller.by(reason)?;
        let asked = Asked {
            who,
            why,
            change,
            seen: caller.seen,
        };
        Ok(self.registry().change(asked).await?)
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.loaded.settings().registry
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
        .route("/v1/models", get(models::list_models).post(models::create_model))
        .route(
            "/v1/models/{model}",
            get(models::get_model)
                .patch(models::update_model)
                .delete(models::delete_model),
        )
        .route("/v1/models/{model}/engines", get(plugins::list_model_engines))
        .route("/v1/models/{model}/history", get(traffic::list_history))
        .route(
            "/v1/models/{model}/traffic",
            get(traffic::get_traffic).put(traffic::set_traffic),
        )
        .route("/v1/models/{model}/rollback", post(traffic::roll_back))
        .route(
            "/v1/models/{model}/aliases/{alias}",
            put(aliases::set_alias).delete(aliases::delete_alias),
        )
        .route(
            "/v1/models/{model}/versions",
            get(versions::list_versions).post(version_upload::create_version),
        )
        .route(
            "/v1/models/{model}/versions/{version}",
            get(versions::get_version).delete(versions::delete_version),
        )
        .route(
            "/v1/models/{model}/versions/{version}/retire",
            post(versions::retire_version),
        )
        .route(
            "/v1/models/{model}/versions/{version}/evaluations/{set}",
            post(evaluations::create_evaluation),
        )
        .route(
            "/v1/models/{model}/versions/{version}/verification",
            get(versions::get_verification),
        )
        .route(
            "/v1/models/{model}/versions/{version}/files/{*name}",
            get(versions::get_file),
        )
        .route("/v1/instances", get(models::list_instances))
        .route("/v1/sources", get(sources::list_sources))
        .route(
            "/v1/sources/{source}",
            get(sources::get_source)
                .put(sources::set_source)
                .delete(sources::delete_source),
        )
        .route("/v1/sources/{source}/test", post(sources::test_source))
        .route("/v1/sources/{source}/models", get(sources::list_source_models))
        .route("/v1/sources/{source}/pull", post(sources::pull_from_source))
        .route("/v1/webhooks/mlflow/{source}", post(sources::receive_webhook))
        .route("/v1/audit", get(audit::list_entries))
        .route("/v1/audit/heads", get(audit::get_head))
        .route("/v1/plugins", get(plugins::list_plugins))
        .route("/v1/system", get(system::get_system))
        .route("/v1/health/live", get(system::get_live))
        .route("/v1/health/ready", get(system::get_ready))
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
        if foreign(&request, host) {
            let detail = "a page of another site may not change anything here; open the page of this server";
            return Problem::new(StatusCode::FORBIDDEN, "foreign_page", detail).into_response();
        }
        return next.run(request).await;
    }
    let detail = "this server answers to localhost, 127.0.0.1 and [::1] alone; open it by one of these";
    Problem::new(StatusCode::MISDIRECTED_REQUEST, "wrong_host", detail).into_response()
}

/// Whether a browser sends this for a page of another site: such pages can post here without being able to read the answer.
fn foreign(request: &Request, host: &str) -> bool {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return false;
    }
    let headers = request.headers();
    let own = |origin: &str| {
        let there = origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"));
        there.is_some_and(|there| there.eq_ignore_ascii_case(host))
    };
    let other = headers
        .get(header::ORIGIN)
        .is_some_and(|origin| !origin.to_str().is_ok_and(own));
    other || headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site")
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
