//! One queue for each loaded version.
//!
//! Instances take what has queued whenever they are free, so there is no timer: nothing waits while the machine is idle, and
//! batches grow with the load.
#![forbid(unsafe_code)]

mod call;
mod statistics;
mod tensor;

pub use call::{Call, DispatchError, Done, Priority};
pub use statistics::{BatchCount, Statistics};
pub use tensor::Tensor;
