//! How a body is written.

use crate::error::ScoringError;

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentType {
    /// An object with one of the fields that MLflow knows.
    Json,
    /// A table whose first line names its columns.
    Csv,
}

impl ContentType {
    /// What a `Content-Type` says.
    ///
    /// # Errors
    /// [`ScoringError`] naming what is known, also where a charset is not UTF-8.
    pub fn of(header: &str) -> Result<Self, ScoringError> {
        let wrong = |detail: &str| Err(ScoringError::new("content-type", detail));
        let mut parts = header.split(';').map(|part| part.trim().to_ascii_lowercase());
        let kind = match parts.next().as_deref() {
            Some("application/json") => Self::Json,
            Some("text/csv") => Self::Csv,
            _ => return wrong("the content-type must be application/json or text/csv"),
        };
        for part in parts {
            let charset = part.strip_prefix("charset=").map(|charset| charset.trim_matches('"'));
            if charset.is_some_and(|charset| !["utf-8", "utf8", "us-ascii"].contains(&charset)) {
                return wrong("the charset must be UTF-8");
            }
        }
        Ok(kind)
    }
}
