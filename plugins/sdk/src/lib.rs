//! Write a plugin: an engine that runs networks, or a reader of a file format, as a small synchronous trait.
//!
//! An engine loads models, a model makes instances, an instance runs batches. Queues, batching, metrics and time-outs
//! live with the host. Start reading at [`Engine`] or [`Reader`].

mod engine;
mod failure;
mod reader;
mod setup;
mod tensor;

pub use engine::{Call, Device, Engine, EngineInfo, Instance, Model, ModelFile, ModelPackage};
pub use failure::{Code, Failure};
pub use reader::{InputFile, ReadHints, Reader, ReaderInfo, RecordingSink};
pub use setup::Setup;
pub use tensor::{DType, Signature, TensorSpec, TensorView};
