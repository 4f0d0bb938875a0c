//! `/v1/auth`: signing in and out at the page, tokens for programs, and the keys that verify them.

use super::App;
use super::access::presented::proven;
use super::access::{cookie, host_of};
use super::body::{Body, Query};
use super::caller::Caller;
use super::problem::Problem;
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use einthoven_auth::{Grant, IssuerName, Kind, LoginError, Principal, Session};
use jiff::Timestamp;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// How long a token lasts unless it is said.
const TOKEN_S: u64 = 900;

/// What is given once and stays in no cache.
const ONCE: (header::HeaderName, HeaderValue) = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));

/// The host that a request names.
pub(crate) struct Host(String);

impl<S: Sync> FromRequestParts<S> for Host {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(host_of(&parts.headers, &parts.uri)))
    }
}

/// Who is signed in.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SignedIn")]
pub(crate) struct WhoIs<'a> {
    signed_in: bool,
    name: &'a str,
    grants: &'a [Grant],
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

impl<'a> WhoIs<'a> {
    fn of(principal: &'a Principal, expires_at: Option<Timestamp>) -> Self {
        Self {
            signed_in: true,
            name: principal.name(),
            grants: principal.grants(),
            expires_at,
        }
    }
}

/// Who am I; for nobody, the ways to sign in that this server offers.
pub(crate) async fn get_session(
    State(app): State<Arc<App>>,
    Host(host): Host,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let bears = |name: &str| headers.contains_key(name);
    let other = bears("authorization") || bears("x-api-key");
    match proven(&app.auth, &Method::GET, &headers).await {
        Ok(proven) => {
            let expires_at = proven.principal.token().map(|(_, until)| until);
            let mut response = Json(WhoIs::of(&proven.principal, expires_at)).into_response();
            if let Some(session) = proven.cookie.and_then(|cookie| app.auth.renew(&cookie)) {
                let set = cookie::session(&session, app.access.is_secure(&host))?;
                response.headers_mut().insert(header::SET_COOKIE, set);
            }
            Ok(response)
        }
        Err(refused) if other => Err(refused),
        Err(_) => Ok(Json(Nobody::here(&app)).into_response()),
    }
}

/// What a page without a session shows.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SignedOut")]
pub(crate) struct Nobody {
    signed_in: bool,
    offers: Offers,
}

/// The ways to sign in.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SignInOffers")]
pub(crate) struct Offers {
    /// By name and password.
    password: bool,
    /// By the link that the server printed.
    owner_link: bool,
    /// Elsewhere.
    issuers: Vec<IssuerName>,
}

impl Nobody {
    fn here(app: &App) -> Self {
        let issuers = app.auth.list_issuers();
        let by_login = issuers.iter().filter(|issuer| issuer.settings.login.is_some());
        Self {
            signed_in: false,
            offers: Offers {
                password: !app.auth.list_users().is_empty(),
                owner_link: !app.auth.configured(),
                issuers: by_login.map(|issuer| issuer.name.clone()).collect(),
            },
        }
    }
}

/// A token, shown once.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Token")]
pub(crate) struct TokenOut<'a> {
    token: &'a str,
    /// `Bearer`.
    token_type: &'static str,
    id: &'a str,
    expires_at: Timestamp,
    grants: Vec<Grant>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    name: String,
    password: String,
}

/// Signs in by name and password.
pub(crate) async fn create_session(
    State(app): State<Arc<App>>,
    Host(host): Host,
    Body(login): Body<Login>,
) -> Result<Response, Problem> {
    let password = SecretString::from(login.password);
    let session = app.auth.login(&login.name, &password).await?;
    let set = cookie::session(&session, app.access.is_secure(&host))?;
    let body = Json(WhoIs::of(&session.principal, Some(session.expires_at)));
    let location = (header::LOCATION, HeaderValue::from_static("/v1/auth/session"));
    Ok((StatusCode::CREATED, [location, ONCE, (header::SET_COOKIE, set)], body).into_response())
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HowFar {
    /// Every session and token of yours, not this one alone.
    #[serde(default)]
    everywhere: bool,
}

/// Signs out, here or everywhere.
pub(crate) async fn delete_session(
    State(app): State<Arc<App>>,
    Host(host): Host,
    caller: Caller,
    Query(how): Query<HowFar>,
) -> Result<Response, Problem> {
    let (principal, by) = (caller.principal(), caller.access_by(None)?);
    if how.everywhere {
        app.auth.end_all(by, principal.name()).await?;
    } else if principal.kind() == Kind::Key {
        let detail = "an API key is not signed in; revoke it with DELETE /v1/keys/{id}";
        return Err(Problem::new(StatusCode::CONFLICT, "no_session", detail));
    } else {
        app.auth.end(by, principal).await?;
    }
    let set = cookie::no_session(app.access.is_secure(&host))?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, set)]).into_response())
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "NewToken")]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    grants: Vec<Grant>,
    ttl_s: Option<u64>,
}

/// Exchanges what the caller came with for a token that may do less, and expires.
pub(crate) async fn create_token(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(wanted): Body<Wanted>,
) -> Result<Response, Problem> {
    let ttl = Duration::from_secs(wanted.ttl_s.unwrap_or(TOKEN_S));
    let token = app.auth.issue(caller.principal(), &wanted.grants, ttl)?;
    let body = TokenOut {
        token: token.token.expose_secret(),
        token_type: "Bearer",
        id: &token.id,
        expires_at: token.expires_at,
        grants: wanted.grants,
    };
    Ok((StatusCode::CREATED, [ONCE], Json(body)).into_response())
}

/// The public keys that verify tokens of this server.
pub(crate) async fn get_jwks(State(app): State<Arc<App>>) -> Response {
    // A key that was rotated in is published before it signs, so a minute costs nobody a refusal.
    let minute = HeaderValue::from_static("public, max-age=60");
    ([(header::CACHE_CONTROL, minute)], Json(app.auth.jwks())).into_response()
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Link {
    /// As the link has it.
    token: String,
}

/// Redeems the link that a server without users and keys prints.
pub(crate) async fn redeem_link(
    State(app): State<Arc<App>>,
    Host(host): Host,
    headers: HeaderMap,
    Query(link): Query<Link>,
) -> Result<Response, Problem> {
    let ended = app.auth.redeem_link(&link.token).await;
    if ended.is_err() && proven(&app.auth, &Method::GET, &headers).await.is_ok() {
        // Opened again by who is signed in already.
        return Ok(to_page(Vec::new(), ""));
    }
    entered(&app, &host, &headers, ended, Vec::new())
}

/// Where an issuer is to send the browser back to.
fn back(app: &App, host: &str, issuer: &IssuerName) -> Result<reqwest::Url, Problem> {
    let scheme = if app.access.is_secure(host) { "https" } else { "http" };
    format!("{scheme}://{host}/v1/auth/oidc/{issuer}/callback")
        .parse()
        .map_err(|cause| Problem::internal(&cause))
}

/// Sends the browser to an issuer, to sign in there.
pub(crate) async fn start_oidc(
    State(app): State<Arc<App>>,
    Host(host): Host,
    super::body::Path(issuer): super::body::Path<IssuerName>,
) -> Result<Response, Problem> {
    let begun = app.auth.begin_login(&issuer, &back(&app, &host, &issuer)?).await?;
    let location = HeaderValue::from_str(begun.address.as_str()).map_err(|cause| Problem::internal(&cause))?;
    let set = cookie::login(begun.cookie.expose_secret(), app.access.is_secure(&host))?;
    let headers = [(header::LOCATION, location), ONCE, (header::SET_COOKIE, set)];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

/// What an issuer sends the browser back with. It may add more than this.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ReturnedFromIssuer")]
pub(crate) struct Returned {
    /// As it was sent to the issuer.
    #[serde(default)]
    state: String,
    /// What the issuer gives for it.
    #[serde(default)]
    code: String,
}

/// Takes a browser that comes back from an issuer.
pub(crate) async fn finish_oidc(
    State(app): State<Arc<App>>,
    Host(host): Host,
    headers: HeaderMap,
    Query(returned): Query<Returned>,
) -> Result<Response, Problem> {
    let ended = match cookie::read(&headers, cookie::LOGIN) {
        None => Err(LoginError::Stale),
        Some(_) if returned.code.is_empty() => Err(LoginError::Unconfirmed),
        Some(cookie) => app.auth.finish_login(cookie, &returned.state, &returned.code).await,
    };
    let no_login = cookie::no_login(app.access.is_secure(&host))?;
    entered(&app, &host, &headers, ended, vec![no_login])
}

/// Sends a browser to the page, with its session, or with a word on why it has none; programs hear why as a problem.
fn entered(
    app: &App,
    host: &str,
    headers: &HeaderMap,
    ended: Result<Session, LoginError>,
    mut cookies: Vec<HeaderValue>,
) -> Result<Response, Problem> {
    let reads_pages = |accept: &HeaderValue| accept.to_str().is_ok_and(|accept| accept.contains("text/html"));
    match ended {
        Ok(session) => {
            cookies.push(cookie::session(&session, app.access.is_secure(host))?);
            Ok(to_page(cookies, ""))
        }
        Err(cause) if headers.get(header::ACCEPT).is_some_and(reads_pages) => {
            let word = match cause {
                LoginError::Stale => "?sign-in=used",
                LoginError::Unconfirmed => "?sign-in=unconfirmed",
                LoginError::TooMany(_) => "?sign-in=often",
                cause => return Err(cause.into()),
            };
            Ok(to_page(cookies, word))
        }
        Err(cause) => Err(cause.into()),
    }
}

fn to_page(cookies: Vec<HeaderValue>, word: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    let location = HeaderValue::from_str(&format!("/{word}")).unwrap_or(HeaderValue::from_static("/"));
    headers.insert(header::LOCATION, location);
    headers.insert(ONCE.0, ONCE.1);
    // The link's token must not go on to anybody as a referrer.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.extend(cookies.into_iter().map(|cookie| (header::SET_COOKIE, cookie)));
    response
}
