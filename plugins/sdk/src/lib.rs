//! Write an engine: a small synchronous trait over batches of tensors.
//!
//! An engine loads models, a model makes instances, an instance runs batches. Queues, batching, metrics and time-outs
//! live with the host. Start reading at [`Engine`].
#![forbid(unsafe_code)]

mod engine;
mod failure;
mod tensor;

pub use engine::{Call, Device, Engine, EngineInfo, Instance, Model, ModelFile, ModelPackage};
pub use failure::{Code, Failure};
pub use tensor::{DType, Signature, TensorSpec, TensorView};
