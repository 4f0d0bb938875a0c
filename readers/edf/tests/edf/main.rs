//! The reader as a host sees it: files in, a sink filled or a failure that says what to do.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod any_bytes;
mod made_up;
mod page;
mod real;
mod sink;
