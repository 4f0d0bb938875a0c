//! The onnxruntime engine: ONNX on the CPU, or on an NVIDIA GPU through CUDA or TensorRT.
//!
//! The shared library of ONNX Runtime is found when the engine is opened (see `library.rs`), so that nothing has to
//! be linked and a GPU build can take the place of the CPU build.

mod config;
mod engine;
mod graph;
mod instance;
mod library;
mod lift;
mod proto;
mod runtime;
mod session;
mod shared;
mod tensors;

pub use engine::OnnxRuntimeEngine;

#[cfg(feature = "plugin")]
einthoven_plugin_sdk::export_engine!(OnnxRuntimeEngine);
