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

fn main() -> ExitCode {
    match commands::run() {
        Ok(code) => code,
        Err(cause) => {
            eprintln!("einthoven: {cause:#}");
            ExitCode::FAILURE
        }
    }
}
