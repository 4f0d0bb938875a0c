//! What stands before every route: who calls, whether they call too often, and whether they may.

use super::{Access, cookie, presented, refusal};
use crate::http::App;
use crate::http::problem::Problem;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use einthoven_auth::{Principal, Scope};
use std::sync::Arc;

/// What a route asks for, and the server that it belongs to.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) app: Arc<App>,
    pub(crate) access: Access,
    /// Whether the route's path names a model.
    pub(crate) names_model: bool,
}

/// Lets a request pass with its `Principal` among its extensions, or refuses it before anything of its body is read.
pub(crate) async fn pass(
    State(door): State<Door>,
    path: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if door.access == Access::Open {
        return Ok(next.run(request).await);
    }
    let auth = &door.app.auth;
    let proven = presented::proven(auth, request.method(), request.headers()).await?;
    auth.meter(&proven.principal)?;
    door.lets(&proven.principal, path)?;
    // Only a cookie that is set again has to know it.
    let host = proven
        .cookie
        .as_ref()
        .map(|_| super::host_of(request.headers(), request.uri()));
    request.extensions_mut().insert(proven.principal);
    let mut response = next.run(request).await;
    // Who goes on working stays signed in. An answer that sets a cookie itself knows better.
    if !response.headers().contains_key(header::SET_COOKIE)
        && let Some(session) = proven.cookie.and_then(|cookie| auth.renew(&cookie))
    {
        let secure = door.app.access.is_secure(host.as_deref().unwrap_or_default());
        response
            .headers_mut()
            .extend(cookie::session(&session, secure).map(|cookie| (header::SET_COOKIE, cookie)));
    }
    Ok(response)
}

impl Door {
    fn lets(&self, principal: &Principal, path: Result<RawPathParams, RawPathParamsRejection>) -> Result<(), Problem> {
        match self.access {
            Access::Open | Access::SignedIn => Ok(()),
            Access::NeedsForSome(scope) if principal.may_some(scope) => Ok(()),
            Access::NeedsForSome(scope) => Err(refusal::lacks(principal, scope, None)),
            Access::Needs(scope) if self.names_model => {
                let path = path.map_err(|_| Problem::not_found("model of that name"))?;
                let model = path.iter().find(|(name, _)| *name == "model").map(|(_, model)| model);
                may(principal, scope, model)
            }
            Access::Needs(scope) => may(principal, scope, None),
        }
    }
}

/// Whether that scope is there for that model, or for everything.
pub(crate) fn may(principal: &Principal, scope: Scope, model: Option<&str>) -> Result<(), Problem> {
    let may = match model {
        Some(model) => principal.may_for(scope, model),
        None => principal.may(scope),
    };
    if may {
        Ok(())
    } else {
        Err(refusal::lacks(principal, scope, model))
    }
}
