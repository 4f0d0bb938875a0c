//! Versions: what they are, how far they have come, their files.

use super::App;
use super::body::{Body, Path, Query};
use super::caller::{Caller, etag};
use super::models::{List, Reason};
use super::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use einthoven_classify::EngineTable;
use einthoven_registry_files::Digest;
use einthoven_registry_state::{Change, ModelName, Phase, Rejection, Version, VersionName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// A version with what is not in its row: the manifest, and what points at it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "VersionDetail")]
pub(crate) struct VersionOut {
    pub(crate) model: ModelName,
    #[serde(flatten)]
    pub(crate) version: Version,
    points_here: Vec<String>,
    manifest: Option<Value>,
}

/// How far a version has come.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Verification {
    model: ModelName,
    version: VersionName,
    verification: Verdict,
}

/// The phase, and what every engine made of it.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// Its files are on their way.
    Fetching,
    /// Its files are here and are being tried.
    Verifying,
    /// It may serve.
    Ready {
        /// The engine that was fastest when it was tried.
        engine: String,
        /// Every engine with every file; absent for what came with the binary.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "EngineTable")]
        report: Option<Value>,
    },
    /// It may not.
    Rejected(Rejection),
    /// It served once and may not any more.
    Retired,
}

pub(crate) async fn list_versions(
    State(app): State<Arc<App>>,
    Path(name): Path<ModelName>,
) -> Result<Json<List<Version>>, Problem> {
    let state = app.registry().state();
    let versions = state.model(&name)?.by_age();
    let items = versions
        .into_iter()
        .rev()
        .map(|version| Version::clone(version))
        .collect();
    Ok(Json(List { items, next: None }))
}

pub(crate) async fn get_version(
    State(app): State<Arc<App>>,
    Path((model, version)): Path<(ModelName, VersionName)>,
) -> Result<Response, Problem> {
    version_out(&app, StatusCode::OK, &model, &version).await
}

/// A version as it is now, under its model's ETag.
pub(crate) async fn version_out(
    app: &App,
    status: StatusCode,
    model: &ModelName,
    version: &VersionName,
) -> Result<Response, Problem> {
    let state = app.registry().state();
    let found = state.model(model)?;
    let version = found.version(version)?;
    let manifest = match version.file("manifest.json") {
        Some(file) => serde_json::from_slice(&content(app, &file.sha256).await?).ok(),
        None => None,
    };
    let body = VersionOut {
        model: model.clone(),
        version: Version::clone(version),
        points_here: found.pointing_at(&version.name),
        manifest,
    };
    Ok((status, [etag(found.revision)], Json(body)).into_response())
}

async fn content(app: &App, digest: &str) -> Result<bytes::Bytes, Problem> {
    let digest: Digest = digest.parse()?;
    Ok(app.loaded.settings().files.get(&digest).await?)
}

pub(crate) async fn delete_version(
    State(app): State<Arc<App>>,
    Path((model, version)): Path<(ModelName, VersionName)>,
    caller: Caller,
    Query(query): Query<Reason>,
) -> Result<StatusCode, Problem> {
    app.change(&caller, query.reason, Change::DeleteVersion { model, version })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn retire_version(
    State(app): State<Arc<App>>,
    Path((model, version)): Path<(ModelName, VersionName)>,
    caller: Caller,
    Body(body): Body<Reason>,
) -> Result<Response, Problem> {
    let change = Change::Retire {
        model: model.clone(),
        version: version.clone(),
    };
    app.change(&caller, body.reason, change).await?;
    version_out(&app, StatusCode::OK, &model, &version).await
}

/// How far it has come, and what every engine made of it.
pub(crate) async fn get_verification(
    State(app): State<Arc<App>>,
    Path((model, version)): Path<(ModelName, VersionName)>,
) -> Result<Json<Verification>, Problem> {
    let state = app.registry().state();
    let found = state.model(&model)?.version(&version)?;
    let verification = match found.phase.clone() {
        Phase::Fetching => Verdict::Fetching,
        Phase::Verifying => Verdict::Verifying,
        Phase::Ready(verified) => Verdict::Ready {
            engine: verified.engine,
            report: match &verified.report {
                Some(report) => Some(serde_json::from_slice(&content(&app, report).await?).unwrap_or_default()),
                None => None,
            },
        },
        Phase::Rejected(rejection) => Verdict::Rejected(rejection),
        Phase::Retired => Verdict::Retired,
    };
    Ok(Json(Verification {
        model,
        version,
        verification,
    }))
}

/// One file of a version, as it came.
pub(crate) async fn get_file(
    State(app): State<Arc<App>>,
    Path((model, version, name)): Path<(ModelName, VersionName, String)>,
) -> Result<Response, Problem> {
    let state = app.registry().state();
    let version = state.model(&model)?.version(&version)?;
    let file = version
        .file(&name)
        .ok_or_else(|| Problem::not_found(&format!("file of that name in {}", version.title(&model))))?;
    let bytes = content(&app, &file.sha256).await?;
    let kind = HeaderValue::from_static("application/octet-stream");
    let tag = HeaderValue::from_str(&format!("\"{}\"", file.sha256)).map_err(|cause| Problem::internal(&cause))?;
    Ok(([(header::CONTENT_TYPE, kind), (header::ETAG, tag)], bytes).into_response())
}
