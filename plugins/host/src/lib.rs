//! Run an engine: the table of engines and the host side of a call.
//!
//! Callers see [`Engines`], [`LoadedModel`] and [`Runner`]; which engine is behind them, and how it was loaded, is this
//! crate's own business.
#![forbid(unsafe_code)]

mod engines;
mod outputs;
mod runner;

pub use einthoven_plugin_sdk::{
    Code, DType, Device, EngineInfo, Failure, ModelFile, ModelPackage, Signature, TensorSpec, TensorView,
};
pub use engines::{Engines, LoadedModel};
pub use outputs::{Output, Outputs};
pub use runner::Runner;
