//! Requests and answers as MLflow's scoring server has them: tables and tensors in, `predictions` out.
//!
//! A request says nothing of types: what the model takes decides how its values are read.
#![forbid(unsafe_code)]

mod csv;
mod error;
mod frame;
mod kind;
mod predictions;
mod request;
mod wanted;

pub use error::ScoringError;
pub use kind::ContentType;
pub use predictions::{Column, write_predictions};
pub use request::{Scored, parse};
pub use wanted::Wanted;
