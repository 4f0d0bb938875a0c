//! Connections and long work from outside: the real binary, many clients, signals.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod bodies;
#[allow(dead_code, reason = "other test binaries use the rest of it")]
#[path = "../server/client.rs"]
mod client;
mod drain;
#[path = "../server/engine.rs"]
mod engine;
mod frames;
mod held;
mod jobs;
mod names;
#[allow(dead_code, reason = "other test binaries use the rest of it")]
#[path = "../registry/packages.rs"]
mod packages;
mod stream;
mod tls;
