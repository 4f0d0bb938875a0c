//! An entry of the log, and where the log ends.

use crate::{Hash, LogError};
use schemars::JsonSchema;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The most bytes that one body may have: what a reader must be ready to hold.
pub const MAX_BODY: usize = 1 << 20;

/// Where a log ends: the number and the hash of its newest entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "LogHead")]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The newest entry's number; 0 when there is none.
    pub seq: u64,
    /// The newest entry's hash; zeros when there is none.
    pub hash: Hash,
}

impl Head {
    /// The head of a log without entries.
    pub const EMPTY: Self = Self {
        seq: 0,
        hash: Hash::ZERO,
    };
}

impl fmt::Display for Head {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.seq, self.hash)
    }
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// 1 for the first, then without gaps.
    pub seq: u64,
    /// The hash of the entry before; zeros for the first.
    pub previous: Hash,
    /// [`Hash::of`] the fields here.
    pub hash: Hash,
    /// One JSON object on one line, kept byte for byte.
    pub body: String,
}

impl Entry {
    /// The head of a log that ends with this entry.
    pub fn head(&self) -> Head {
        Head {
            seq: self.seq,
            hash: self.hash,
        }
    }

    /// The entries that bring these bodies after a head.
    pub(crate) fn chain(after: Head, bodies: Vec<String>) -> Result<Vec<Self>, LogError> {
        let mut head = after;
        let mut entries = Vec::with_capacity(bodies.len());
        for (index, body) in bodies.into_iter().enumerate() {
            check(&body).map_err(|cause| LogError::Body { index, cause })?;
            let seq = head.seq + 1;
            let entry = Self {
                seq,
                previous: head.hash,
                hash: Hash::of(seq, head.hash, &body),
                body,
            };
            head = entry.head();
            entries.push(entry);
        }
        Ok(entries)
    }

    /// Whether the hash is the one of the other fields.
    pub(crate) fn is_intact(&self) -> bool {
        self.hash == Hash::of(self.seq, self.previous, &self.body)
    }
}

/// Whether a text may be a body.
fn check(body: &str) -> Result<(), String> {
    if body.len() > MAX_BODY {
        return Err(format!("it has {} bytes, {MAX_BODY} are allowed", body.len()));
    }
    if !body.starts_with('{') || !body.ends_with('}') || body.contains(['\n', '\r']) {
        return Err("it is not one JSON object on one line".into());
    }
    serde_json::from_str::<IgnoredAny>(body)
        .map(|_| ())
        .map_err(|cause| format!("it is not JSON: {cause}"))
}
