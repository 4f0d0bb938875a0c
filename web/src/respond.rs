//! The response for one file of the page.

use crate::file::File;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

/// Scripts, styles and requests from and to our own origin only; nothing may frame the page or be sent by a form.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    // Names do not carry a digest, so a browser asks each time and is told 304: one round trip, never a stale module.
    (header::CACHE_CONTROL, "no-cache"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// 200 with the file, 304 if the client has it already, 404 for a name the page does not have.
pub(crate) fn file(file: Option<&File>, request: &HeaderMap) -> Response<Body> {
    let mut response = match file {
        None => status(StatusCode::NOT_FOUND, Body::from("There is no such file.\n")),
        Some(file) if is_known(request, &file.etag) => {
            let mut response = status(StatusCode::NOT_MODIFIED, Body::empty());
            response.headers_mut().insert(header::ETAG, file.etag.clone());
            response
        }
        Some(file) => {
            let mut response = status(StatusCode::OK, Body::from(file.bytes));
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, file.content_type.clone());
            headers.insert(header::ETAG, file.etag.clone());
            response
        }
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn status(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

/// `If-None-Match` may hold a list, and a compressing layer marks the tag as weak; both name the same content.
fn is_known(request: &HeaderMap, etag: &HeaderValue) -> bool {
    let Ok(etag) = etag.to_str() else { return false };
    request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim().trim_start_matches("W/") == etag)
}
