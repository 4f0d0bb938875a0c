//! Headers that every answer has, whatever route or refusal it comes from.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// What an answer says where it says nothing else itself: it is no page, holds nothing to be run or framed, is kept by nobody, and the
/// address that it came from is told to nobody.
const ALWAYS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Over TLS, browsers come by TLS for a year.
const BY_TLS: &str = "max-age=31536000";

/// Adds what is missing.
pub(super) fn harden(headers: &mut HeaderMap, tls: bool) {
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if tls {
        headers
            .entry(header::STRICT_TRANSPORT_SECURITY)
            .or_insert(HeaderValue::from_static(BY_TLS));
    }
}
