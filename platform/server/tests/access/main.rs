//! Who may call what, from outside: the real binary, its own table of routes, every kind of credential.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

#[allow(dead_code, reason = "other test binaries use the rest of it")]
#[path = "../server/client.rs"]
mod client;
#[path = "../server/terminal.rs"]
mod command;
#[path = "../../../auth/tests/auth/django.rs"]
mod django;
mod elsewhere;
mod keys;
mod links;
mod names;
mod sessions;
mod terminal;
mod walk;
