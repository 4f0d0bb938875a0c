//! A client for MLflow: its registry, its artifacts, its webhooks.
//!
//! [`Client`] asks one MLflow server, described by a [`Source`]. A [`Reference`] names a model version, a [`Location`]
//! is where its files lie, and [`servable()`] says which of them can be served here.
#![forbid(unsafe_code)]

mod client;
mod download;
mod error;
mod example;
mod folder;
mod http;
mod listing;
mod location;
mod mlmodel;
mod networks;
mod path;
mod reference;
mod registered;
mod resolve;
mod servable;
mod signature;
mod source;
pub mod webhook;

pub use client::{Client, Page};
pub use download::{Downloaded, Expected};
pub use error::Error;
pub use example::{ExampleTensor, example};
pub use listing::RemoteFile;
pub use location::Location;
pub use mlmodel::{InputExample, MlModel};
pub use networks::{Network, Networks};
pub use path::ArtifactPath;
pub use reference::Reference;
pub use registered::{ModelVersion, RegisteredModel};
pub use resolve::Resolved;
pub use servable::{Refused, servable};
pub use signature::{Signature, Spec};
pub use source::{Credentials, Source, Timeouts};
