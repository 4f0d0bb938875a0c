//! The registry on a real log file.

mod changes;
mod crashes;
mod looking_back;
mod reopened;
mod setup;
