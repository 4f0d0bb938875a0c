//! What a request brings to prove who sends it.

use super::{PAGE_HEADER, cookie, refusal};
use crate::http::problem::Problem;
use axum::http::{HeaderMap, Method, StatusCode, header};
use einthoven_auth::{Auth, Credential, Principal};

/// Header of an API key, for clients that use `Authorization` for something else.
pub(crate) const KEY_HEADER: &str = "x-api-key";

/// Who sends a request.
pub(crate) struct Proven {
    pub(crate) principal: Principal,
    /// The page's cookie, where that is what proved it.
    pub(crate) cookie: Option<String>,
}

/// What a request brings: `Authorization` first, then `X-Api-Key`, then the page's cookie.
fn presented(headers: &HeaderMap) -> Result<Option<Credential<'_>>, Problem> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let text = value.to_str().unwrap_or_default().trim();
        let token = text
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        return match token {
            Some((_, token)) => Ok(Some(Credential::Bearer(token.trim()))),
            None => Err(refusal::unreadable(
                "send `Authorization: Bearer`, followed by an API key or a token",
            )),
        };
    }
    if let Some(value) = headers.get(KEY_HEADER) {
        let key = value
            .to_str()
            .map_err(|_| refusal::unreadable("X-Api-Key holds letters that no key has"))?;
        return Ok(Some(Credential::ApiKey(key.trim())));
    }
    Ok(cookie::read(headers, cookie::SESSION).map(Credential::Session))
}

/// Who sends this request; refused where nobody is proven, or where another site's page could have made a browser send it.
pub(crate) async fn proven(auth: &Auth, method: &Method, headers: &HeaderMap) -> Result<Proven, Problem> {
    let credential = presented(headers)?.ok_or_else(|| refusal::nobody(auth.configured()))?;
    let principal = auth.authenticate(credential).await?;
    let Credential::Session(cookie) = credential else {
        return Ok(Proven {
            principal,
            cookie: None,
        });
    };
    // A browser sends the cookie by itself, so it proves who, but not that they meant it.
    if !method.is_safe() && !headers.contains_key(PAGE_HEADER) {
        let detail =
            "a change that is proven by the page's cookie must bear the header X-Einthoven-Page, as the page sends it";
        return Err(Problem::new(StatusCode::FORBIDDEN, "foreign_page", detail));
    }
    Ok(Proven {
        principal,
        cookie: Some(cookie.to_owned()),
    })
}
