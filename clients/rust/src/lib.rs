//! A client for an Einthoven server: every heartbeat in an ECG recording found and classified.
//!
//! ```no_run
//! # async fn example() -> Result<(), einthoven_client::Failure> {
//! use einthoven_client::{Einthoven, Stated, record};
//! let client = Einthoven::new("http://127.0.0.1:5000")?;
//! let answer = client.classify(&record("100")?, &Stated::default()).await?;
//! println!("{} beats", answer.beats().len());
//! # Ok(()) }
//! ```
//!
//! Every operation of the server is a method of [`Client`], which [`Einthoven`] dereferences to; both are made from the server's
//! own document. What takes several calls, or files, has a word of its own here.
#![forbid(unsafe_code)]

mod calls;
mod events;
mod failure;
mod files;
mod lists;
mod sending;

/// Operations and types, as progenitor makes them from the document.
#[allow(
    missing_docs,
    unused_imports,
    unused_mut,
    unreachable_pub,
    clippy::all,
    clippy::unwrap_used,
    clippy::panic,
    rustdoc::all,
    reason = "made by a generator"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/generated.rs"));
}

pub use calls::{Answer, Einthoven, Stated};
pub use events::Event;
pub use failure::Failure;
pub use files::{File, files, record};
pub use generated::{ByteStream, Client, Error, ResponseValue, builder, types};
pub use lists::Paged;

/// The example of the documentation compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/clients.md")]
struct Documented;
