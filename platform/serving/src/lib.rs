//! Versions that are loaded here: brought in before they answer, swapped between two requests, put out when room is short.
//!
//! [`Loaded`] turns a reference into a model that runs. What the registry says is followed in the background; a version that
//! takes long to load, or does not load, never keeps the one before it from answering.
#![forbid(unsafe_code)]

mod budget;
mod error;
mod follow;
mod load;
mod loaded;
mod route;
mod tables;

pub use budget::Usage;
pub use error::ServingError;
pub use loaded::{Loaded, LoadedVersion, Settings};
pub use route::{Arm, CHALLENGER, CHAMPION, Dealt, Routed, SHADOW, Shadow};
pub use tables::Tables;
