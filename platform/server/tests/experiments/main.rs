//! Versions compared over HTTP: the real binary, two versions that really differ, recordings of MIT-BIH with reference beats.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

#[allow(dead_code, reason = "other test binaries use the rest of it")]
#[path = "../server/client.rs"]
mod client;
mod dealt;
mod drifted;
#[path = "../server/engine.rs"]
mod engine;
mod faulty;
mod judged;
#[allow(dead_code, reason = "other test binaries use the rest of it")]
#[path = "../registry/packages.rs"]
mod packages;
#[allow(dead_code, reason = "other test binaries use the rest of it")]
#[path = "../predictions/records.rs"]
mod records;
mod sentinel;
mod setup;
mod shadowed;
#[allow(dead_code, reason = "other test binaries use the rest of it")]
#[path = "../registry/steps.rs"]
mod steps;
mod withdrawn;
