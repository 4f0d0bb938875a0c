//! How an engine says what went wrong.

use std::fmt;

/// The kinds of failure a host tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// A fault inside the engine.
    Internal,
    /// The caller gave something the model or engine cannot take.
    InvalidArgument,
    /// A file, tensor or device of that name does not exist.
    NotFound,
    /// The engine lacks what the model needs; the message names it.
    Unsupported,
    /// Not now; the same call may work later.
    Unavailable,
    /// The caller gave up.
    Cancelled,
    /// The deadline passed.
    DeadlineExceeded,
    /// Memory or another bounded resource ran out.
    ResourceExhausted,
}

/// A failure with a message for people: which thing, what was wrong, what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Failure {
    /// What kind.
    pub code: Code,
    /// The sentence; lower case, no full stop.
    pub message: String,
}

impl Failure {
    /// A failure of that kind.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// The caller gave something that cannot be taken.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, message)
    }

    /// The engine lacks what the model needs.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(Code::Unsupported, message)
    }

    /// A fault inside the engine.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::new(Code::Internal, cause.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
