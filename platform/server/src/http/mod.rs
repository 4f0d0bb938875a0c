//! The routes, one flat list; each handler file holds one resource.

pub(crate) mod access;
pub(crate) mod aliases;
mod app;
mod around;
mod audit;
mod auth;
mod body;
mod caller;
mod classified;
mod classify;
pub(crate) mod document;
pub(crate) mod evaluations;
mod experiments;
mod flask;
mod hardened;
mod invocations;
mod issuers;
mod jobs;
pub(crate) mod keys;
mod metrics;
pub(crate) mod models;
mod plugins;
mod predictions;
pub(crate) mod problem;
mod received;
mod recordings;
mod samples;
pub(crate) mod sources;
mod standing;
mod stream;
mod system;
pub(crate) mod traffic;
mod upload;
pub(crate) mod users;
pub(crate) mod v2;
mod version_upload;
pub(crate) mod versions;

use access::{Access, Table, delete, get, patch, post, put};
pub(crate) use app::{App, Parts};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, StatusCode, Uri};
use axum::response::IntoResponse;
pub(crate) use classified::blocking;
use einthoven_auth::Scope;
pub(crate) use predictions::erasing;
use problem::Problem;
use std::sync::Arc;
use tower_http::compression::CompressionLayer;

/// The whole service: page, API, health.
pub(crate) fn router(table: Table, app: Arc<App>) -> Router {
    table
        .into_router(&app)
        .with_state(Arc::clone(&app))
        .fallback(no_such_route)
        .method_not_allowed_fallback(wrong_method)
        // Together, as each layer by itself would cost every request a boxed service and its clones.
        .layer((
            CompressionLayer::new(),
            axum::middleware::from_fn_with_state(Arc::clone(&app), around::around),
            // Bodies are bounded where they are read, with an answer that says so.
            DefaultBodyLimit::disable(),
        ))
}

/// Every route, with what it asks of who calls. `{model}` in a path is the model that the scope must hold for.
pub(crate) fn table() -> Table {
    use Access::{Needs, NeedsForSome, Open, SignedIn};
    use Scope::{Admin, AuditRead, ModelsRead, ModelsWrite, Predict, Traffic};
    let table = Table::default()
        .route(
            "/v1/classify",
            [post(NeedsForSome(Predict), classify::classify_recording)],
        )
        .route("/v1/jobs", [get(NeedsForSome(Predict), jobs::list_jobs)])
        .route(
            "/v1/jobs/{id}",
            [
                get(NeedsForSome(Predict), jobs::get_job),
                delete(NeedsForSome(Predict), jobs::delete_job),
            ],
        )
        .route("/v1/jobs/{id}/events", [get(NeedsForSome(Predict), jobs::get_events)])
        .route("/v1/jobs/{id}/result", [get(NeedsForSome(Predict), jobs::get_result)])
        .route("/v1/stream", [get(NeedsForSome(Predict), stream::open_stream)])
        .route(
            "/v1/recordings",
            [
                post(NeedsForSome(Predict), recordings::create_recording),
                get(NeedsForSome(Predict), recordings::list_recordings),
            ],
        )
        .route(
            "/v1/recordings/{id}",
            [
                get(NeedsForSome(Predict), recordings::get_recording),
                delete(NeedsForSome(Predict), recordings::delete_recording),
            ],
        )
        .route(
            "/v1/recordings/{id}/signal",
            [get(NeedsForSome(Predict), recordings::get_signal)],
        )
        .route(
            "/v1/recordings/{id}/annotations",
            [get(NeedsForSome(Predict), recordings::get_annotations)],
        )
        .route(
            "/v1/recordings/{id}/fhir",
            [get(NeedsForSome(Predict), recordings::get_fhir)],
        )
        .route("/v1/samples", [get(NeedsForSome(Predict), samples::list_samples)])
        .route(
            "/v1/samples/{id}",
            [post(NeedsForSome(Predict), samples::create_sample_recording)],
        )
        .route(
            "/v1/models",
            [
                get(NeedsForSome(ModelsRead), models::list_models),
                post(NeedsForSome(ModelsWrite), models::create_model),
            ],
        )
        .route(
            "/v1/models/{model}",
            [
                get(Needs(ModelsRead), models::get_model),
                patch(Needs(ModelsWrite), models::update_model),
                delete(Needs(ModelsWrite), models::delete_model),
            ],
        )
        .route(
            "/v1/models/{model}/engines",
            [get(Needs(ModelsRead), plugins::list_model_engines)],
        )
        .route(
            "/v1/models/{model}/history",
            [get(Needs(ModelsRead), traffic::list_history)],
        )
        .route(
            "/v1/models/{model}/traffic",
            [
                get(Needs(ModelsRead), traffic::get_traffic),
                put(Needs(Traffic), traffic::set_traffic),
            ],
        )
        .route(
            "/v1/models/{model}/rollback",
            [post(Needs(Traffic), traffic::roll_back)],
        )
        .route(
            "/v1/models/{model}/aliases/{alias}",
            [
                put(Needs(Traffic), aliases::set_alias),
                delete(Needs(Traffic), aliases::delete_alias),
            ],
        )
        .route(
            "/v1/models/{model}/versions",
            [
                get(Needs(ModelsRead), versions::list_versions),
                post(Needs(ModelsWrite), version_upload::create_version),
            ],
        )
        .route(
            "/v1/models/{model}/versions/{version}",
            [
                get(Needs(ModelsRead), versions::get_version),
                delete(Needs(ModelsWrite), versions::delete_version),
            ],
        )
        .route(
            "/v1/models/{model}/versions/{version}/retire",
            [post(Needs(ModelsWrite), versions::retire_version)],
        )
        .route(
            "/v1/models/{model}/versions/{version}/evaluations/{set}",
            [post(Needs(ModelsWrite), evaluations::create_evaluation)],
        )
        .route(
            "/v1/models/{model}/versions/{version}/verification",
            [get(Needs(ModelsRead), versions::get_verification)],
        )
        .route(
            "/v1/models/{model}/versions/{version}/files/{*name}",
            [get(Needs(ModelsRead), versions::get_file)],
        )
        .route("/v1/instances", [get(NeedsForSome(ModelsRead), models::list_instances)])
        .route("/v1/sources", [get(Needs(ModelsWrite), sources::list_sources)])
        .route(
            "/v1/sources/{source}",
            [
                get(Needs(ModelsWrite), sources::get_source),
                put(Needs(ModelsWrite), sources::set_source),
                delete(Needs(ModelsWrite), sources::delete_source),
            ],
        )
        .route(
            "/v1/sources/{source}/test",
            [post(Needs(ModelsWrite), sources::test_source)],
        )
        .route(
            "/v1/sources/{source}/models",
            [get(Needs(ModelsWrite), sources::list_source_models)],
        )
        .route(
            "/v1/sources/{source}/pull",
            [post(Needs(ModelsWrite), sources::pull_from_source)],
        )
        // Its calls are signed with the source's own secret.
        .route("/v1/webhooks/mlflow/{source}", [post(Open, sources::receive_webhook)])
        .route(
            "/v1/auth/session",
            [
                get(Open, auth::get_session),
                post(Open, auth::create_session),
                delete(SignedIn, auth::delete_session),
            ],
        )
        .route("/v1/auth/token", [post(SignedIn, auth::create_token)])
        .route("/v1/auth/link", [get(Open, auth::redeem_link)])
        .route("/v1/auth/oidc/{issuer}/start", [get(Open, auth::start_oidc)])
        .route("/v1/auth/oidc/{issuer}/callback", [get(Open, auth::finish_oidc)])
        .route("/.well-known/jwks.json", [get(Open, auth::get_jwks)])
        .route(
            "/v1/keys",
            [get(Needs(Admin), keys::list_keys), post(Needs(Admin), keys::create_key)],
        )
        .route(
            "/v1/keys/{id}",
            [
                get(Needs(Admin), keys::get_key),
                patch(Needs(Admin), keys::update_key),
                delete(Needs(Admin), keys::revoke_key),
            ],
        )
        .route(
            "/v1/users",
            [
                get(Needs(Admin), users::list_users),
                post(Needs(Admin), users::create_user),
            ],
        )
        .route(
            "/v1/users/{name}",
            [
                get(Needs(Admin), users::get_user),
                patch(Needs(Admin), users::update_user),
                delete(Needs(Admin), users::delete_user),
            ],
        )
        .route("/v1/issuers", [get(Needs(Admin), issuers::list_issuers)])
        .route(
            "/v1/issuers/{name}",
            [
                get(Needs(Admin), issuers::get_issuer),
                put(Needs(Admin), issuers::set_issuer),
                delete(Needs(Admin), issuers::remove_issuer),
            ],
        )
        .route("/v1/audit", [get(Needs(AuditRead), audit::list_entries)])
        .route("/v1/audit/heads", [get(Needs(AuditRead), audit::get_head)])
        .route(
            "/v1/audit/verification",
            [get(Needs(AuditRead), audit::get_verification)],
        )
        .route("/v1/plugins", [get(NeedsForSome(ModelsRead), plugins::list_plugins)])
        .route("/v1/system", [get(NeedsForSome(ModelsRead), system::get_system)])
        .route("/metrics", [get(Needs(ModelsRead), metrics::get_metrics)])
        .route("/v1/health/live", [get(Open, system::get_live)])
        .route("/v1/health/ready", [get(Open, system::get_ready)])
        .route("/v1/health/models/{model}", [get(Open, system::get_model_ready)])
        .route("/openapi.json", [get(Open, document::get_document)])
        .route("/openapi-3.0.json", [get(Open, document::get_document_3_0)])
        .route("/upload", [post(NeedsForSome(Predict), flask::upload_csv)]);
    let table = experiments::routes(predictions::routes(table));
    let table = crate::grpc::routes(invocations::routes(v2::routes(table)));
    einthoven_web::routes()
        .into_iter()
        .fold(table, |table, (path, file)| table.page(path, file))
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
