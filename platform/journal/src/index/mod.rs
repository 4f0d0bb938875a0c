//! Which entry is where: one row of fixed size for each, kept beside its segment and made anew from it.
//!
//! The rows of the segment that is being written are in memory; those of a full one lie in a file beside it, of which
//! only a summary is kept in memory. A file that is missing, damaged or of another segment is made anew by reading the
//! segment.

mod catalog;
mod row;
mod sidecar;
mod summary;

pub(crate) use catalog::{Catalog, Found};
pub(crate) use row::{Row, experiment_hash, subject_hash};
pub(crate) use summary::Summary;
