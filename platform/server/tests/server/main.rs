//! The server from outside: the real binary, real recordings, HTTP.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bad_input;
mod client;
mod edf;
mod faces;
mod kept_recordings;
