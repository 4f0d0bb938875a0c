//! Load plugins and run them.
//!
//! Callers see [`Engines`], [`LoadedModel`] and [`Runner`] for networks, [`Readers`] for files. Every engine and reader,
//! linked in or loaded from a library, comes through the table of C functions in `einthoven-plugin-abi`: [`plugin`] finds and
//! checks it, [`engine`] and [`reader`] turn it into safe calls.

pub mod engine;
pub mod memory;
pub mod plugin;
pub mod priority;
pub mod reader;
mod report;

pub use einthoven_plugin_sdk::{
    Code, DType, Device, Failure, InputFile, ModelFile, ModelPackage, ReadHints, Signature, TensorSpec, TensorView,
};
pub use engine::{Cancellation, EngineState, Engines, LoadedModel, Output, Outputs, Runner, Until};
pub use plugin::{Plugin, PluginError};
pub use reader::{ReadBounds, ReadLead, ReadRecording, Readers};
