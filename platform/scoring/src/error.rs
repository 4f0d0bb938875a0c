//! What may be wrong with a request.

/// What was wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct ScoringError {
    /// The field, such as `dataframe_split`.
    pub field: &'static str,
    /// What was wrong.
    pub detail: String,
}

impl ScoringError {
    pub(crate) fn new(field: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { field, detail }
    }
}
