//! The real server follows and pulls from real MLflow servers, which `cargo xtask setup python` brings.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod broken;
mod followed;
mod pulled;
mod servers;
mod webhook;
mod wire;
