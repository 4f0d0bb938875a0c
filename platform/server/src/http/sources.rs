//! `/v1/sources`: MLflow servers, what is followed there, and their webhooks.

use super::App;
use super::access::may;
use super::body::{Body, Path, Query};
use super::caller::{Caller, etag};
use super::models::{List, Reason};
use super::problem::Problem;
use super::received::bounded;
use super::version_upload::located;
use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use einthoven_auth::Scope;
use einthoven_onboard::{Pull, SourceStatus};
use einthoven_registry_mlflow::webhook;
use einthoven_registry_state::{Change, FollowRule, ModelName, Phase, Source, SourceName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of a webhook's call at most; MLflow's have a few hundred.
const LONGEST_CALL: usize = 1 << 20;

/// A source with how it was when it was last looked at.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SourceState")]
pub(crate) struct SourceOut {
    #[serde(flatten)]
    pub(crate) source: Source,
    status: SourceStatus,
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSource {
    pub(crate) settings: Value,
    #[serde(default)]
    pub(crate) follow: Vec<FollowRule>,
    pub(crate) poll_s: Option<u32>,
    pub(crate) webhook_secret_file: Option<String>,
    pub(crate) reason: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "NewPull")]
#[serde(deny_unknown_fields)]
pub(crate) struct PullRequest {
    pub(crate) reference: String,
    pub(crate) into: Option<ModelName>,
    #[serde(default)]
    pub(crate) manifest: serde_json::Map<String, Value>,
    #[serde(default)]
    pub(crate) promote: bool,
    pub(crate) wait_s: Option<u64>,
    pub(crate) reason: Option<String>,
}

/// Whether settings name a file of this machine, with a secret or a certificate in it.
fn names_file(settings: &Value) -> bool {
    match settings {
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.ends_with("_file") || names_file(value)),
        Value::Array(items) => items.iter().any(names_file),
        _ => false,
    }
}

/// What a source answered.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct SourceTest {
    /// The release of MLflow.
    mlflow: String,
    /// Whether there is a registered model at all.
    has_models: bool,
}

/// A registered model there.
#[derive(Serialize, JsonSchema)]
pub(crate) struct RemoteModel {
    name: String,
    description: String,
    aliases: BTreeMap<String, u64>,
    tags: BTreeMap<String, String>,
}

pub(crate) async fn list_sources(State(app): State<Arc<App>>) -> Response {
    let state = app.registry().state();
    let items: Vec<_> = state.sources.values().map(|source| out(&app, source)).collect();
    Json(List { items, next: None }).into_response()
}

fn out(app: &App, source: &Source) -> SourceOut {
    SourceOut {
        source: source.clone(),
        status: app.onboarding.source_status(&source.name),
    }
}

fn shown(app: &App, status: StatusCode, source: &Source) -> Response {
    (status, [etag(source.revision)], Json(out(app, source))).into_response()
}

pub(crate) async fn get_source(State(app): State<Arc<App>>, Path(name): Path<SourceName>) -> Result<Response, Problem> {
    Ok(shown(&app, StatusCode::OK, app.registry().state().source(&name)?))
}

pub(crate) async fn set_source(
    State(app): State<Arc<App>>,
    Path(name): Path<SourceName>,
    caller: Caller,
    Body(new): Body<NewSource>,
) -> Result<Response, Problem> {
    app.onboarding.check_source(&name, &new.settings)?;
    if new.webhook_secret_file.is_some() || names_file(&new.settings) {
        // What this server can read is sent to where the source is, or decides whose calls count.
        may(caller.principal(), Scope::Admin, None)?;
    }
    for rule in new.follow.iter().filter(|rule| rule.promote) {
        caller.may_promote(rule.into.as_ref().map(ModelName::as_str))?;
    }
    if new.follow.iter().any(|rule| rule.alias.is_none() && rule.promote) {
        let detail = "a rule without `alias` brings every version, old ones too; `promote` needs the alias that says which answers";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_field", detail).at("follow"));
    }
    let existed = app.registry().state().sources.contains_key(&name);
    let change = Change::SetSource {
        source: name.clone(),
        settings: new.settings,
        follow: new.follow,
        poll_s: new.poll_s,
        webhook_secret_file: new.webhook_secret_file,
    };
    let done = app.change(&caller, new.reason, change).await?;
    let status = if existed { StatusCode::OK } else { StatusCode::CREATED };
    Ok(shown(&app, status, done.state.source(&name)?))
}

pub(crate) async fn delete_source(
    State(app): State<Arc<App>>,
    Path(source): Path<SourceName>,
    caller: Caller,
    Query(query): Query<Reason>,
) -> Result<StatusCode, Problem> {
    app.change(&caller, query.reason, Change::RemoveSource { source })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Asks MLflow whether it answers us.
pub(crate) async fn test_source(
    State(app): State<Arc<App>>,
    Path(name): Path<SourceName>,
) -> Result<Json<SourceTest>, Problem> {
    let source = Arc::clone(app.registry().state().source(&name)?);
    let client = app.onboarding.client(&source)?;
    let mlflow = client.server_version().await?;
    let models = client.models_page(None, 1, None).await?;
    let has_models = !models.items.is_empty();
    Ok(Json(SourceTest { mlflow, has_models }))
}

pub(crate) async fn list_source_models(
    State(app): State<Arc<App>>,
    Path(name): Path<SourceName>,
) -> Result<Json<List<RemoteModel>>, Problem> {
    let source = Arc::clone(app.registry().state().source(&name)?);
    let models = app.onboarding.client(&source)?.models(None).await?;
    let each = |model: einthoven_registry_mlflow::RegisteredModel| RemoteModel {
        name: model.name,
        description: model.description,
        aliases: model.aliases,
        tags: model.tags,
    };
    let items = models.into_iter().map(each).collect();
    Ok(Json(List { items, next: None }))
}

/// Brings one version now.
pub(crate) async fn pull_from_source(
    State(app): State<Arc<App>>,
    Path(source): Path<SourceName>,
    caller: Caller,
    Body(request): Body<PullRequest>,
) -> Result<Response, Problem> {
    if request.promote {
        caller.may_promote(request.into.as_ref().map(ModelName::as_str))?;
    }
    let by = caller.by(request.reason)?;
    let pull = Pull {
        source,
        reference: request.reference,
        into: request.into,
        stated: request.manifest,
        promote: request.promote,
    };
    let added = app.onboarding.pull(&by, pull).await?;
    let wait = Duration::from_secs(request.wait_s.unwrap_or(0).min(300));
    let status = match app.onboarding.settled(&added, wait).await? {
        Phase::Fetching | Phase::Verifying => StatusCode::ACCEPTED,
        _ => StatusCode::CREATED,
    };
    located(&app, status, &added).await
}

/// MLflow says that something happened: the source is looked at. What the call says beside that is not believed.
pub(crate) async fn receive_webhook(
    State(app): State<Arc<App>>,
    Path(name): Path<SourceName>,
    headers: HeaderMap,
    request: Request,
) -> Result<StatusCode, Problem> {
    let refused = || {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "webhook_refused",
            "the call's signature is not right",
        )
    };
    let source = Arc::clone(app.registry().state().source(&name).map_err(|_| refused())?);
    let file = source.webhook_secret_file.as_ref().ok_or_else(refused)?;
    let secret = tokio::fs::read_to_string(file).await.map_err(|cause| {
        tracing::error!("the webhook's secret in {file} cannot be read: {cause}");
        refused()
    })?;
    if secret.trim().is_empty() {
        // Anybody could sign with it.
        tracing::error!("the webhook's secret in {file} is empty");
        return Err(refused());
    }
    let body = bounded(request.into_body(), LONGEST_CALL).await?;
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let signed = webhook::Headers {
        signature: text(webhook::SIGNATURE_HEADER),
        timestamp: text(webhook::TIMESTAMP_HEADER),
        delivery: text(webhook::DELIVERY_HEADER),
    };
    webhook::verify(
        &secret.trim().into(),
        signed,
        &body,
        jiff::Timestamp::now(),
        webhook::WINDOW,
    )
    .map_err(|cause| {
        tracing::warn!("a webhook call for source {name} was refused: {cause}");
        refused()
    })?;
    app.onboarding.nudge(name);
    Ok(StatusCode::ACCEPTED)
}
