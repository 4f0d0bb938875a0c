//! The tract engine: ONNX and NNEF on the CPU, pure Rust, linked in so that one binary works with nothing beside it.
#![deny(unsafe_code)]

mod convert;
mod engine;
mod instance;
mod plans;

pub use engine::TractEngine;

#[cfg(feature = "plugin")]
einthoven_plugin_sdk::export_engine!(TractEngine);
