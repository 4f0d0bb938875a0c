//! The `einthoven` binary: serve the page and the API, classify files, score against a reference.
//!
//! Start reading at [`commands`]; [`http`] holds one file per resource.
#![forbid(unsafe_code)]
#![allow(
    missing_docs,
    reason = "a binary has no public items; its documentation is --help and docs/"
)]

mod commands;
mod configuration;
mod embedded;
mod engines;
mod experiments;
mod grpc;
mod http;
mod input;
mod journaling;
mod lifecycle;
mod listener;
mod plugin_reading;
mod readiness;
mod recordings;
mod samples;
mod scoring;
mod shadows;
mod storage;
mod work;

use std::process::ExitCode;
use tikv_jemallocator::Jemalloc;

/// A request makes a hundred small allocations, many of which another thread frees: the system's allocator takes longer for that and keeps
/// more memory. It stays the engines': in its place, jemalloc would hang under tools that are loaded before the program, such as
/// libfaketime. `.cargo/config.toml` says how it gives memory back.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    match commands::run() {
        Ok(code) => code,
        Err(cause) => {
            eprintln!("einthoven: {cause:#}");
            ExitCode::FAILURE
        }
    }
}
