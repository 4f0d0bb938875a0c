//! An append-only, hash-chained log of small JSON bodies, in a file or in PostgreSQL.
//!
//! What is appended is on disk when the call returns, wholly or not at all, in one order that all who read agree on. Each
//! entry carries a hash over its number, the hash before it and its body, so a changed, removed, reordered or truncated
//! entry is found by [`Log::verify`]; truncation only against a [`Head`] that was exported earlier.
#![forbid(unsafe_code)]

mod anchor;
mod broken;
mod copy;
mod diagnose;
mod entry;
mod error;
mod file;
mod hash;
mod line;
mod log;
mod postgres;

pub use anchor::{Anchor, append_head_file, export_head, read_head_file};
pub use broken::{ChainBroken, Verified};
pub use entry::{Entry, Head, MAX_BODY};
pub use error::LogError;
pub use file::{FILE, FileLog};
pub use hash::{Hash, NotAHash};
pub use line::{BadLine, Line};
pub use log::Log;
pub use postgres::{PostgresLog, Schema, take_turns};
