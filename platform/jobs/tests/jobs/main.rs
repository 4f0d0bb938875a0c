//! Jobs, in a real folder and shared over a real PostgreSQL and a real S3 server: done, cancelled, followed, bounded, and done again after an
//! end in the middle.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails; one job panics"
)]

mod folder;
mod outages;
mod place;
#[allow(dead_code, reason = "other test binaries use the rest of it")]
#[path = "../../../server/tests/broken/postgres.rs"]
mod postgres;
#[allow(dead_code, reason = "other test binaries use the rest of it")]
#[path = "../../../../registry/files/tests/s3/mod.rs"]
mod s3;
mod shared;
mod suite;
