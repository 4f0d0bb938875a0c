//! The settings from outside: the real binary with files, variables and flags.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod problems;
mod run;
mod shown;
