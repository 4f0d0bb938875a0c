//! What may be wrong with a request.

/// What was wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OipError {
    /// The body is not what the protocol says.
    #[error("{detail}")]
    Malformed {
        /// The field, such as `inputs`.
        field: &'static str,
        /// What was wrong and what to do.
        detail: String,
    },
    /// Part of the protocol that is not offered here.
    #[error("{detail}")]
    Unsupported {
        /// The field, such as `parameters`.
        field: &'static str,
        /// What it was and what to do instead.
        detail: String,
    },
    /// More bytes than are allowed.
    #[error("the body unpacks to more than {limit_bytes} bytes")]
    TooLarge {
        /// The bound.
        limit_bytes: usize,
    },
}

impl OipError {
    /// A body that is not what the protocol says.
    pub fn malformed(field: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self::Malformed { field, detail }
    }

    /// Part of the protocol that is not offered here.
    pub fn unsupported(field: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self::Unsupported { field, detail }
    }

    /// The field that it is about.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            Self::Malformed { field, .. } | Self::Unsupported { field, .. } => field,
            Self::TooLarge { .. } => "body",
        }
    }
}
