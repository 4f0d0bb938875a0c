//! The registry on real logs: a file, and PostgreSQL.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod changes;
mod crashes;
mod looking_back;
mod reopened;
mod setup;
mod shared;

// The real server that the log's own tests start.
#[path = "../../log/tests/support/mod.rs"]
mod postgres;
