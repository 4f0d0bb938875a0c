//! One queue for each loaded version.
//!
//! Instances take what has queued whenever they are free, so there is no timer: nothing waits while the machine is idle, and
//! batches grow with the load. Start reading at [`Dispatcher`]; who is next is decided in `schedule`, which is pure.
#![forbid(unsafe_code)]

mod assemble;
mod call;
mod checked;
mod cost;
mod dispatcher;
mod flows;
mod meters;
mod pending;
mod process;
mod queue;
mod roster;
mod run;
mod schedule;
mod settings;
mod statistics;
mod tensor;
mod thread;
mod ticket;

pub use call::{Call, DispatchError, Done, Priority};
pub use dispatcher::Dispatcher;
pub use process::Allowance;
pub use settings::{Instance, Settings, Source};
pub use statistics::{BatchCount, Statistics, WITHIN_S};
pub use tensor::Tensor;
pub use ticket::Ticket;
