//! `/v1/keys`: API keys, whose secret is shown once.

use super::App;
use super::body::{Body, Path, Query};
use super::caller::{Caller, etag};
use super::models::{List, Reason};
use super::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use einthoven_auth::{Grant, Key, KeyName, KeySpec, Rate};
use jiff::Timestamp;
use schemars::JsonSchema;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A key without what would prove it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ApiKey")]
pub(crate) struct KeyOut {
    pub(crate) id: String,
    pub(crate) name: KeyName,
    pub(crate) grants: Vec<Grant>,
    rate: Option<Rate>,
    pub(crate) expires_at: Option<Timestamp>,
    created_at: Timestamp,
    created_by: String,
    revision: u64,
    /// The key itself, in the answer that makes it alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
}

fn out(key: &Key, secret: Option<&str>) -> KeyOut {
    KeyOut {
        id: key.id.clone(),
        name: key.name.clone(),
        grants: key.grants.clone(),
        rate: key.rate,
        expires_at: key.expires_at,
        created_at: key.created_at,
        created_by: key.created_by.clone(),
        revision: key.revision,
        key: secret.map(str::to_owned),
    }
}

/// A key to be made.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "NewApiKey")]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKey {
    pub(crate) name: KeyName,
    pub(crate) grants: Vec<Grant>,
    pub(crate) rate: Option<Rate>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) reason: Option<String>,
}

/// What a key allows, said anew and whole.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ApiKeyPatch")]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["grants", "rate", "expires_at"]))]
pub(crate) struct KeyPatch {
    grants: Vec<Grant>,
    #[serde(deserialize_with = "Option::deserialize")]
    rate: Option<Rate>,
    #[serde(deserialize_with = "Option::deserialize")]
    expires_at: Option<Timestamp>,
    reason: Option<String>,
}

pub(crate) async fn list_keys(State(app): State<Arc<App>>) -> Response {
    let keys = app.auth.list_keys();
    let items = keys.iter().map(|key| out(key, None)).collect::<Vec<_>>();
    Json(List { items, next: None }).into_response()
}

pub(crate) async fn create_key(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(new): Body<NewKey>,
) -> Result<Response, Problem> {
    let by = caller.access_by(new.reason)?;
    let spec = KeySpec {
        name: new.name,
        grants: new.grants,
        rate: new.rate,
        expires_at: new.expires_at,
    };
    let (key, secret) = app.auth.create_key(by, spec).await?;
    let headers = [
        (header::LOCATION, text(&format!("/v1/keys/{}", key.id))?),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        etag(key.revision),
    ];
    let body = Json(out(&key, Some(secret.expose_secret())));
    Ok((StatusCode::CREATED, headers, body).into_response())
}

/// A line of an answer's header.
pub(crate) fn text(value: &str) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(value).map_err(|cause| Problem::internal(&cause))
}

fn shown(key: &Key) -> Response {
    ([etag(key.revision)], Json(out(key, None))).into_response()
}

pub(crate) async fn get_key(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let keys = app.auth.list_keys();
    let key = keys.iter().find(|key| key.id == id);
    Ok(shown(key.ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, "no_such_key", "there is no key of that id")
    })?))
}

pub(crate) async fn update_key(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    caller: Caller,
    Body(patch): Body<KeyPatch>,
) -> Result<Response, Problem> {
    let by = caller.access_by(patch.reason)?;
    let changed = app.auth.change_key(by, &id, patch.grants, patch.rate, patch.expires_at);
    Ok(shown(&*changed.await?))
}

pub(crate) async fn revoke_key(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    caller: Caller,
    Query(query): Query<Reason>,
) -> Result<StatusCode, Problem> {
    app.auth.revoke_key(caller.access_by(query.reason)?, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
