//! What was answered, read back, judged and replayed: the real binary over HTTP, recordings of MIT-BIH with their reference beats.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

#[allow(dead_code, reason = "other test binaries use the rest of it")]
#[path = "../server/client.rs"]
mod client;
mod clustered;
mod erased;
mod killed;
mod labelled;
mod misclassified;
mod protocols;
mod records;
mod remembered;
mod replayed;
mod tables;
