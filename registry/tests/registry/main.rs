//! The registry on a real log file.

mod changes;
mod crashes;
mod looking_back;
mod reopened;
mod setup;
mod shared;

// The real server that the log's own tests start.
#[path = "../../log/tests/support/mod.rs"]
mod postgres;
