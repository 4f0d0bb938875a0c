//! How an engine says what went wrong.

use einthoven_plugin_abi::plugin;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The kinds of failure a host tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// A fault, such as a panic, that leaves the instance in an unknown state: it is not used again.
    Poisoned,
}

impl Code {
    const ALL: [(Self, i32); 9] = [
        (Self::Internal, plugin::EINTHOVEN_INTERNAL),
        (Self::InvalidArgument, plugin::EINTHOVEN_INVALID_ARGUMENT),
        (Self::NotFound, plugin::EINTHOVEN_NOT_FOUND),
        (Self::Unsupported, plugin::EINTHOVEN_UNSUPPORTED),
        (Self::Unavailable, plugin::EINTHOVEN_UNAVAILABLE),
        (Self::Cancelled, plugin::EINTHOVEN_CANCELLED),
        (Self::DeadlineExceeded, plugin::EINTHOVEN_DEADLINE_EXCEEDED),
        (Self::ResourceExhausted, plugin::EINTHOVEN_RESOURCE_EXHAUSTED),
        (Self::Poisoned, plugin::EINTHOVEN_POISONED),
    ];

    /// The status that C knows it by.
    #[must_use]
    pub fn status(self) -> i32 {
        let found = Self::ALL.iter().find(|(code, _)| *code == self);
        found.map_or(plugin::EINTHOVEN_INTERNAL, |(_, status)| *status)
    }

    /// What a status other than `EINTHOVEN_OK` means; one that is not known is a fault inside.
    #[must_use]
    pub fn from_status(status: i32) -> Self {
        let found = Self::ALL.iter().find(|(_, known)| *known == status);
        found.map_or(Self::Internal, |(code, _)| *code)
    }
}

/// A failure with a message for people: which thing, what was wrong, what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
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
