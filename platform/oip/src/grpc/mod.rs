//! The protocol's messages over gRPC, and the way between them and requests, answers and documents.

mod contents;
mod documents;
mod messages;

/// Messages and service, made from `proto/inference.proto`.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    reason = "written by a machine; the file it is made from has the comments"
)]
pub mod pb {
    tonic::include_proto!("inference");
}

/// The description of the service, for reflection.
pub const DESCRIPTORS: &[u8] = tonic::include_file_descriptor_set!("inference");

pub use messages::{Asked, answer};
