//! The client against real MLflow servers, started once for all tests of this binary. `cargo xtask setup python` first.
#![allow(clippy::unwrap_used, clippy::panic)]

mod access;
mod common;
mod cuts;
mod folders;
mod registry;
