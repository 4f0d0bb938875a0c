//! The LiteRT engine: TensorFlow Lite models on the CPU.
//!
//! LiteRT is a C library, found at run time (see [`LiteRtEngine`]). [`runtime`] wraps the part of it that is needed;
//! everything above is safe code.
#![deny(unsafe_code)]

mod engine;
mod instance;
mod library;
mod model;
mod operators;
mod probe;
pub mod runtime;
mod session;

pub use engine::LiteRtEngine;

#[cfg(feature = "plugin")]
einthoven_plugin_sdk::export_engine!(LiteRtEngine);
