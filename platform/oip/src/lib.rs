//! The Open Inference Protocol, version 2: tensors, requests and answers, as JSON, as JSON with binary tensors behind it, and
//! as protobuf messages.
//!
//! Bytes go in and values come out; who listens, who may call and what computes is known elsewhere. Nothing that a caller
//! says of lengths or counts is believed before it was compared with the bytes that came.
#![forbid(unsafe_code)]

mod answer;
mod compressed;
mod data;
mod datatype;
pub mod document;
mod element;
mod error;
pub mod grpc;
mod parameter;
mod request;
mod tensor;

pub use answer::{Answer, Output, Written};
pub use compressed::{Compression, inflated};
pub use data::{Data, parse_data, write_data};
pub use datatype::Datatype;
pub use error::OipError;
pub use parameter::{Parameter, Parameters};
pub use request::{InferRequest, RequestedOutput};
pub use tensor::Tensor;

/// The header that says how many bytes of a body are JSON; tensors follow as bytes.
pub const HEADER_LENGTH: &str = "inference-header-content-length";
