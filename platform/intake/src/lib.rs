//! Uploads unpacked: what a person dropped becomes named files in memory, bounded and against traversal.
//!
//! Archives are told by their first bytes, never by their name. Nothing is written to disk, so a path in an archive can
//! only become a name; names keep their last part alone.
#![forbid(unsafe_code)]

mod archive;
mod error;

pub use archive::{Bounds, File, unpack};
pub use error::IntakeError;
