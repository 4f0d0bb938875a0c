//! The server's own document, as it is served, and the server as the document says it is.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

#[allow(dead_code, reason = "other test binaries use the rest of it")]
#[path = "../server/client.rs"]
mod client;
mod clients;
mod conforms;
mod examples;
#[allow(dead_code, reason = "other test binaries use the rest of it")]
#[path = "../registry/packages.rs"]
mod packages;
#[allow(dead_code, reason = "other test binaries use the rest of it")]
#[path = "../predictions/records.rs"]
mod records;
mod served;
