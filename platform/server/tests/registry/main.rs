//! The registry from outside: the real binary, real models, HTTP, files on disk and the command line.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod change_control;
#[allow(dead_code, reason = "other test binaries use the rest of it")]
#[path = "../server/client.rs"]
mod client;
mod command_line;
mod completing;
mod crashes;
#[path = "../server/engine.rs"]
mod engine;
mod gates;
mod hostile_archives;
mod hostile_names;
mod hostile_routes;
mod hot_swap;
mod integrity;
mod log_file;
mod memory;
mod packages;
mod reused_names;
mod slow_load;
mod steps;
#[path = "../server/terminal.rs"]
mod terminal;
mod uploads;
mod verification;
