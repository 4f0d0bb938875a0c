//! The tract engine: ONNX on the CPU, pure Rust, linked in so that one binary works with nothing beside it.
#![forbid(unsafe_code)]

mod convert;
mod engine;
mod instance;

pub use engine::TractEngine;
