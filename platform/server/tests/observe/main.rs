//! What a running server tells its operators, and what it must not tell anybody.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

#[allow(dead_code, reason = "other test binaries use the rest of it")]
#[path = "../server/client.rs"]
mod client;
mod deployed;
#[allow(dead_code, reason = "other test binaries use the rest of it")]
#[path = "../registry/packages.rs"]
mod packages;
mod planted;
mod prometheus;
mod series;
#[allow(dead_code, reason = "other test binaries use the rest of it")]
#[path = "../registry/steps.rs"]
mod steps;
mod traces;
