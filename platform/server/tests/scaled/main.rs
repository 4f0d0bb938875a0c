//! Several servers over one PostgreSQL and one bucket, both real: roles, promotions, jobs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod bucket;
#[allow(dead_code, reason = "other test binaries use the rest of it")]
#[path = "../server/client.rs"]
mod client;
mod erased;
mod jobs;
#[allow(dead_code, reason = "other test binaries use the rest of it")]
#[path = "../registry/packages.rs"]
mod packages;
#[allow(dead_code, reason = "other test binaries use the rest of it")]
#[path = "../broken/postgres.rs"]
mod postgres;
#[allow(dead_code, reason = "other test binaries use the rest of it")]
#[path = "../predictions/records.rs"]
mod records;
mod restored;
mod roles;
#[allow(dead_code, reason = "other test binaries use the rest of it")]
#[path = "../../../../registry/files/tests/s3/mod.rs"]
mod s3;
mod shapes;
mod shared;
#[allow(dead_code, reason = "other test binaries use the rest of it")]
#[path = "../registry/steps.rs"]
mod steps;
