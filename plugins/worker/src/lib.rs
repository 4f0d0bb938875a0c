//! Run an engine in a child process, so that whatever it does to its memory, nobody else notices.
//!
//! The child is the same binary, started with [`Spawner`]; it calls [`serve`] and sees its parent on standard input. Tensors
//! lie in memory that both map; the socket carries only where they lie. [`Worker`] is one instance in one child, started
//! again after a crash and given up after too many; [`trial()`] is the first run of anything newly brought in.

mod cancel;
mod child;
mod crashes;
mod live;
mod patience;
mod protocol;
mod shared;
mod trial;
mod worker;

pub use cancel::Cancel;
pub use child::serve;
pub use crashes::{Crashes, QUARANTINE_AFTER};
pub use live::Spawner;
pub use protocol::{EngineSetup, Limits, LoadRequest, Opened};
pub use trial::{Trial, trial};
pub use worker::Worker;
