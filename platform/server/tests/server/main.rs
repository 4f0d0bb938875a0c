//! The server from outside: the real binary, real recordings, HTTP.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bad_input;
#[allow(dead_code, reason = "other test binaries use the rest of it")]
mod client;
mod edf;
mod faces;
mod foreign_pages;
mod kept_recordings;
