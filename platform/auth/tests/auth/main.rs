//! Who gets in and who does not: on a real registry, with a real issuer, and on two servers that share a log.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod attacks;
mod django;
mod issuer;
mod keys;
mod place;
mod replicas;
mod tokens;
mod users;

// The real PostgreSQL that the log's own tests start.
#[path = "../../../../registry/log/tests/support/mod.rs"]
mod postgres;
