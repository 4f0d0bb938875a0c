//! What can go wrong.

use crate::generated::{Error, types::Problem};

/// What was refused, or did not come.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What the server refused, and why: an RFC 9457 problem.
    #[error("{}", .0.detail)]
    Refused(Box<Problem>),
    /// The server was not reached, or its answer broke off.
    #[error("no whole answer came: {0}")]
    Transport(#[from] reqwest::Error),
    /// A file could not be read.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// What came, or what was to be sent, is not what the document says.
    #[error("{0}")]
    Unexpected(String),
}

impl Failure {
    /// The stable word of what was refused, such as `missing_field`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.problem()?.type_.rsplit('/').next()
    }

    /// What was refused.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem) => Some(problem),
            _ => None,
        }
    }

    /// Of an answer that is no success.
    pub(crate) fn of(status: reqwest::StatusCode, body: &[u8]) -> Self {
        match serde_json::from_slice(body) {
            Ok(problem) => Self::Refused(Box::new(problem)),
            Err(_) => Self::Unexpected(format!("the server answered {status} without saying why")),
        }
    }
}

impl From<Error<Problem>> for Failure {
    fn from(error: Error<Problem>) -> Self {
        match error {
            Error::ErrorResponse(problem) => Self::Refused(Box::new(problem.into_inner())),
            Error::CommunicationError(error) | Error::ResponseBodyError(error) => Self::Transport(error),
            other => Self::Unexpected(other.to_string()),
        }
    }
}
