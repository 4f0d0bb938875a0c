//! The server from outside: the real binary, real recordings, HTTP.

mod bad_input;
mod client;
mod faces;
mod kept_recordings;
