//! The registry: models, versions, aliases and traffic, changed one at a time and never lost.
//!
//! The log is the truth. [`Registry`] folds it into a [`State`](einthoven_registry_state::State) that readers take without a
//! lock, and appends what changes make. A view beside it, kept in sled, only makes the next start and looking back quick.
#![forbid(unsafe_code)]

mod audit;
mod error;
mod registry;
mod view;
mod writer;

pub use audit::{AuditEntry, Filter};
pub use error::{ChangeError, OpenError};
pub use registry::{Asked, Done, Registry};
