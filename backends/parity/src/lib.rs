//! With what engines are compared and attacked.
//!
//! [`operator_graphs`] are small ONNX graphs with the answers ONNX Runtime gives, [`our_models`] the embedded models in
//! all their formats, and [`corpus()`] 300 corrupt models, each of which an engine must refuse. The tests of this crate run
//! every engine over them; `RESULTS.md` says what came out.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    reason = "only tests use this crate: a base model that cannot be read must fail them by panicking"
)]

mod corpus;
mod engines;
mod graphs;
mod onnx;
mod onnx_files;
mod onnx_graphs;
mod reference;
mod safetensors_files;
mod tflite;
mod tflite_files;

pub use corpus::{Mutant, Refused, corpus};
pub use engines::{ENGINES, libraries, open};
pub use graphs::{OperatorGraph, Package, operator_graphs, our_models};
pub use reference::{Reference, Run, Tensor};
