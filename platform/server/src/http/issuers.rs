//! `/v1/issuers`: others whose tokens count here.

use super::App;
use super::body::{Body, Path, Query};
use super::caller::{Caller, etag};
use super::models::{List, Reason};
use super::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use einthoven_auth::{Issuer, IssuerName, IssuerSettings};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewIssuer {
    settings: IssuerSettings,
    reason: Option<String>,
}

fn shown(issuer: &Issuer) -> Response {
    ([etag(issuer.revision)], Json(issuer)).into_response()
}

pub(crate) async fn list_issuers(State(app): State<Arc<App>>) -> Response {
    let items = app
        .registry()
        .state()
        .access
        .issuers
        .values()
        .cloned()
        .collect::<Vec<_>>();
    let items = items.iter().map(|issuer| &**issuer).collect();
    Json(List::<&Issuer> { items, next: None }).into_response()
}

pub(crate) async fn get_issuer(State(app): State<Arc<App>>, Path(name): Path<IssuerName>) -> Result<Response, Problem> {
    Ok(shown(app.registry().state().access.issuer(&name)?))
}

pub(crate) async fn set_issuer(
    State(app): State<Arc<App>>,
    Path(name): Path<IssuerName>,
    caller: Caller,
    Body(new): Body<NewIssuer>,
) -> Result<Response, Problem> {
    let by = caller.access_by(new.reason)?;
    Ok(shown(&*app.auth.set_issuer(by, name, new.settings).await?))
}

pub(crate) async fn remove_issuer(
    State(app): State<Arc<App>>,
    Path(name): Path<IssuerName>,
    caller: Caller,
    Query(query): Query<Reason>,
) -> Result<StatusCode, Problem> {
    app.auth.remove_issuer(caller.access_by(query.reason)?, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
