//! The document, served.

use super::{Edition, document};
use axum::http::header;
use axum::response::IntoResponse;
use std::sync::LazyLock;

fn text(edition: Edition) -> String {
    document(super::super::table().rows(), edition).to_string()
}

/// The document in OpenAPI 3.1.
pub(crate) async fn get_document() -> impl IntoResponse {
    static TEXT: LazyLock<String> = LazyLock::new(|| text(Edition::V31));
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str())
}

/// The same in OpenAPI 3.0.
pub(crate) async fn get_document_3_0() -> impl IntoResponse {
    static TEXT: LazyLock<String> = LazyLock::new(|| text(Edition::V30));
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str())
}
