//! One embedded file, with what its response needs computed once.

use axum::http::HeaderValue;
use sha2::{Digest, Sha256};

/// One file of the page.
pub(crate) struct File {
    pub(crate) bytes: &'static [u8],
    pub(crate) content_type: HeaderValue,
    /// The quoted SHA-256 of the bytes.
    pub(crate) etag: HeaderValue,
}

impl File {
    /// `None` for a kind of file that the page does not consist of, which is then not served.
    pub(crate) fn new(name: &str, bytes: &'static [u8]) -> Option<Self> {
        let content_type = content_type(name)?;
        let digest = hex::encode(Sha256::digest(bytes));
        Some(Self {
            bytes,
            content_type: HeaderValue::from_static(content_type),
            etag: HeaderValue::from_str(&format!("\"{digest}\"")).ok()?,
        })
    }
}

fn content_type(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "json" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}
