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

/// For engines too, as it takes the place of the system's `malloc`: a request makes a hundred small allocations, many of which another
/// thread frees, and the system's allocator keeps twice the memory doing that. `.cargo/config.toml` says how it gives memory back.
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
