//! The page: static modules embedded in the binary. It knows only the HTTP interface.
//!
//! No bundler: what lies in `static/` is what the browser loads.
#![forbid(unsafe_code)]

mod assets;

use assets::ASSETS;
use axum::Router;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

/// Nothing is loaded from anywhere else, and nothing inline runs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Serves `/` and `/assets/...`.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    ASSETS.iter().fold(Router::new(), |router, asset| {
        let tag = format!("\"{}\"", &hex::encode(Sha256::digest(asset.bytes))[..32]);
        router.route(
            asset.path,
            get(move |headers: HeaderMap| std::future::ready(answer(asset, &tag, &headers))),
        )
    })
}

fn answer(asset: &assets::Asset, tag: &str, request: &HeaderMap) -> Response {
    let known = request
        .get(header::IF_NONE_MATCH)
        .is_some_and(|have| have.as_bytes() == tag.as_bytes());
    let headers: [(HeaderName, &str); 6] = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::ETAG, tag),
    ];
    if known {
        (StatusCode::NOT_MODIFIED, headers).into_response()
    } else {
        (headers, asset.bytes).into_response()
    }
}
