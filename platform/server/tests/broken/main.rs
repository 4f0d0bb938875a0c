//! What breaks, broken on purpose: the real binary with no disk, no files, no time and no manners.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod addresses;
#[allow(dead_code, reason = "other test binaries use the rest of it")]
#[path = "../server/client.rs"]
mod client;
mod clock;
mod disk;
mod files;
mod headers;
mod manners;
mod postgres;
mod replicas;
mod sources;
mod threats;
