//! Requests that were meant for another host, or come from another site's page.

use super::Settings;
use crate::http::problem::Problem;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use std::net::IpAddr;

/// Names by which this machine calls itself.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Refuses requests that were meant for another host: a page elsewhere could otherwise reach this server through a name
/// that it points here (DNS rebinding). Beside its own names the server answers to numbers where it listens on more than
/// loopback: no name is behind those.
pub(crate) fn meant_here(settings: &Settings, request: &Request) -> Result<(), Problem> {
    let host = host_of(request.headers(), request.uri());
    if !is_ours(settings, &host) {
        let detail = format!(
            "this server answers to {} alone; open it by one of these, or start it with --public-url for another",
            settings.names().join(", ")
        );
        return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "wrong_host", detail));
    }
    if is_foreign(settings, request.method(), request.headers(), &host) {
        let detail = "a page of another site may not change anything here; open the page of this server";
        return Err(Problem::new(StatusCode::FORBIDDEN, "foreign_page", detail));
    }
    Ok(())
}

/// The host that a request names, in lower case, with its port where it has one. HTTP/2 names it in the address.
pub(crate) fn host_of(headers: &HeaderMap, uri: &Uri) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| uri.authority().map(|authority| authority.as_str()));
    host.unwrap_or_default().to_ascii_lowercase()
}

/// The name without a port.
fn name_of(host: &str) -> &str {
    host.rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
        .map_or(host, |(name, _)| name)
}

fn is_ours(settings: &Settings, host: &str) -> bool {
    let name = name_of(host);
    if LOOPBACK.contains(&name) || settings.public.iter().any(|public| public.host == name) {
        return true;
    }
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    !settings.loopback_only && bare.unwrap_or(name).parse::<IpAddr>().is_ok()
}

/// Whether a browser sends this for a page of another site: such pages can post here without being able to read the answer.
fn is_foreign(settings: &Settings, method: &Method, headers: &HeaderMap, host: &str) -> bool {
    // Another page may open a WebSocket here and read what comes, which is a GET too.
    if method.is_safe() && !headers.contains_key(header::UPGRADE) {
        return false;
    }
    let own = |origin: &str| {
        let there = origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"));
        there.is_some_and(|there| there.eq_ignore_ascii_case(host))
            || settings
                .public
                .iter()
                .any(|public| public.origin.eq_ignore_ascii_case(origin))
    };
    let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().ok());
    if origin
        .flatten()
        .is_some_and(|origin| settings.cors.iter().any(|named| named == origin))
    {
        return false;
    }
    let other = origin.is_some_and(|origin| !origin.is_some_and(own));
    other || headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site")
}

impl Settings {
    /// What this server answers to.
    fn names(&self) -> Vec<&str> {
        let public = self.public.iter().map(|public| public.host.as_str());
        public.chain(LOOPBACK).collect()
    }
}
