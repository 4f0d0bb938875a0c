//! `/v1/users`: people who sign in with a password.

use super::App;
use super::body::{Body, Path, Query};
use super::caller::{Caller, etag};
use super::keys::text;
use super::models::{List, Reason};
use super::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use einthoven_auth::{Role, User, UserName};
use jiff::Timestamp;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A user without what would prove them.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "User")]
pub(crate) struct UserOut {
    pub(crate) name: UserName,
    pub(crate) roles: Vec<Role>,
    created_at: Timestamp,
    created_by: String,
    revision: u64,
}

fn out(user: &User) -> UserOut {
    UserOut {
        name: user.name.clone(),
        roles: user.roles.clone(),
        created_at: user.created_at,
        created_by: user.created_by.clone(),
        revision: user.revision,
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    pub(crate) name: UserName,
    pub(crate) password: String,
    pub(crate) roles: Vec<Role>,
    pub(crate) reason: Option<String>,
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserPatch {
    pub(crate) password: Option<String>,
    pub(crate) roles: Option<Vec<Role>>,
    pub(crate) reason: Option<String>,
}

fn shown(status: StatusCode, user: &User) -> Response {
    (status, [etag(user.revision)], Json(out(user))).into_response()
}

pub(crate) async fn list_users(State(app): State<Arc<App>>) -> Response {
    let users = app.auth.list_users();
    let items = users.iter().map(|user| out(user)).collect::<Vec<_>>();
    Json(List { items, next: None }).into_response()
}

pub(crate) async fn create_user(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(new): Body<NewUser>,
) -> Result<Response, Problem> {
    let by = caller.access_by(new.reason)?;
    let user = app
        .auth
        .create_user(by, new.name, SecretString::from(new.password), new.roles);
    let user = user.await?;
    let mut response = shown(StatusCode::CREATED, &user);
    let location = text(&format!("/v1/users/{}", user.name))?;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

pub(crate) async fn get_user(State(app): State<Arc<App>>, Path(name): Path<UserName>) -> Result<Response, Problem> {
    let state = app.registry().state();
    Ok(shown(StatusCode::OK, state.access.user(&name)?))
}

/// Gives another password, or other roles: each is a change of its own.
pub(crate) async fn update_user(
    State(app): State<Arc<App>>,
    Path(name): Path<UserName>,
    caller: Caller,
    Body(patch): Body<UserPatch>,
) -> Result<Response, Problem> {
    let by = caller.access_by(patch.reason)?;
    let user = match (patch.password, patch.roles) {
        (Some(password), None) => app.auth.set_password(by, &name, SecretString::from(password)).await?,
        (None, Some(roles)) => app.auth.set_roles(by, &name, roles).await?,
        _ => {
            let detail = "give one of `password` and `roles`: each is a change of its own";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_body", detail));
        }
    };
    Ok(shown(StatusCode::OK, &user))
}

pub(crate) async fn delete_user(
    State(app): State<Arc<App>>,
    Path(name): Path<UserName>,
    caller: Caller,
    Query(query): Query<Reason>,
) -> Result<StatusCode, Problem> {
    app.auth.delete_user(caller.access_by(query.reason)?, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
