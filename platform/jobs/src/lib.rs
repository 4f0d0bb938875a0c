//! Long work that outlives its request and its process: queued, run a few at a time, reported, cancelled, and run again where the
//! process ended in the middle.
//!
//! Start reading at [`Jobs`]. Of one server (`local`) a job is a folder: its input, a record of its state, and its result. A job is there when its folder has
//! its name, which it gets when everything in it is on disk; every later state is a record that replaces the one before.
//! Of several servers (`shared`) it is a row in PostgreSQL, and its input and result lie in a bucket.
#![forbid(unsafe_code)]

mod error;
mod events;
mod folder;
mod jobs;
mod life;
mod local;
mod queue;
mod record;
mod settings;
mod shared;
mod table;
mod worker;

pub use error::JobsError;
pub use events::{Event, Events};
pub use jobs::{Jobs, View};
pub use record::{Info, State};
pub use settings::{New, Settings, Sharing};
pub use worker::{Failed, Progress, Stage, Task, Work};
