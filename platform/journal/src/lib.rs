//! What was answered: every prediction with what made it, later truth about it, and the recording where that is kept.
//!
//! A [`Journal`] lies in one folder. Entries and labels are append-only files of checked frames; what says where an entry
//! is can be made anew from them. Recordings are kept only where a caller puts them, each under its own key, so that
//! forgetting a person is forgetting keys. Nothing here is asynchronous but the wait for [`Journal::record`]: call the rest
//! where it may block.

mod counts;
mod entry;
mod erase;
mod error;
pub mod export;
mod frame;
mod index;
mod journal;
pub mod labels;
mod pseudonym;
mod query;
mod queue;
pub mod recordings;
pub mod replay;
mod segments;
mod writer;

pub use counts::Counts;
pub use entry::{Arm, Beat, Beats, Digests, Entry, Latency, Quality, Unit};
pub use erase::Erased;
pub use error::JournalError;
pub use frame::{Frame, FrameError, Kind, MAX_PAYLOAD, decode, encode};
pub use journal::{Journal, Mode, Recorded, Settings};
pub use pseudonym::PseudonymKey;
pub use query::{Cursor, Entries, Filter, Page, readable};
pub use segments::{Damage, Disk, Keep, LocalDisk, Sink};
