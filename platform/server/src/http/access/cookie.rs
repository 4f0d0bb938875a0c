//! The page's cookies.

use crate::http::problem::Problem;
use axum::http::{HeaderMap, HeaderValue, header};
use einthoven_auth::Session;
use secrecy::ExposeSecret;

/// Who is signed in at the page.
pub(crate) const SESSION: &str = "einthoven_session";

/// A sign-in elsewhere that is under way.
pub(crate) const LOGIN: &str = "einthoven_login";

/// Where the cookie of a sign-in elsewhere is sent.
const LOGIN_PATH: &str = "/v1/auth/oidc";

/// Seconds within which somebody who signs in elsewhere must be back.
const LOGIN_S: i64 = 600;

/// The value of a cookie that a request brings.
pub(crate) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter();
    let parts = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    let mut pairs = parts.filter_map(|part| part.trim().split_once('='));
    pairs
        .find(|(given, value)| *given == name && !value.is_empty())
        .map(|(_, value)| value)
}

/// Sets the cookie of a session. No script reads it, and no other site's page makes a browser send it.
pub(crate) fn session(session: &Session, secure: bool) -> Result<HeaderValue, Problem> {
    let seconds = session.expires_at.as_second() - jiff::Timestamp::now().as_second();
    set(
        SESSION,
        session.cookie.expose_secret(),
        "/",
        "Strict",
        seconds.max(0),
        secure,
    )
}

/// Takes it back.
pub(crate) fn no_session(secure: bool) -> Result<HeaderValue, Problem> {
    set(SESSION, "", "/", "Strict", 0, secure)
}

/// Sets the cookie that binds a sign-in elsewhere to this browser. The way back begins on the issuer's site, so a strict one
/// would not come along.
pub(crate) fn login(value: &str, secure: bool) -> Result<HeaderValue, Problem> {
    set(LOGIN, value, LOGIN_PATH, "Lax", LOGIN_S, secure)
}

/// Takes it back.
pub(crate) fn no_login(secure: bool) -> Result<HeaderValue, Problem> {
    set(LOGIN, "", LOGIN_PATH, "Lax", 0, secure)
}

fn set(name: &str, value: &str, path: &str, site: &str, seconds: i64, secure: bool) -> Result<HeaderValue, Problem> {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite={site}{secure}");
    let mut value = HeaderValue::from_str(&text).map_err(|cause| Problem::internal(&cause))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; einthoven_sessions=x"));
        headers.append(
            header::COOKIE,
            HeaderValue::from_static("einthoven_session=abc.d-e_f;b=2"),
        );
        assert_eq!(read(&headers, SESSION), Some("abc.d-e_f"));
        assert_eq!(read(&headers, LOGIN), None);
        headers.insert(header::COOKIE, HeaderValue::from_static("einthoven_session="));
        assert_eq!(read(&headers, SESSION), None);
    }

    #[test]
    fn a_cookie_that_would_break_out_of_its_header_is_not_set() {
        assert!(login("a\r\nset-cookie: b", false).is_err());
        let set = login("abc", true).map(|value| value.to_str().unwrap_or_default().to_owned());
        assert_eq!(
            set.ok().as_deref(),
            Some("einthoven_login=abc; Path=/v1/auth/oidc; Max-Age=600; HttpOnly; SameSite=Lax; Secure")
        );
    }
}
