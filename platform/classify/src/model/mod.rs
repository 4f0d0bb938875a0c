//! A version and what runs it: manifest, golden outputs, the table of engines, the loaded model.

mod golden;
mod instance;
mod loading;
mod manifest;
mod numbers;
mod predict;
mod served;
mod spent;
mod table;
mod training;
mod trials;

pub use instance::Isolation;
pub use loading::{Choice, LoadError, Serving};
pub use manifest::{EngineWish, Manifest, PackageFile, Variant, digest};
pub use numbers::{from_bytes, to_bytes};
pub use predict::Demand;
pub use served::{KnownAs, ServedModel};
pub use spent::Spent;
pub use table::{EngineRow, EngineTable, TrialStep};
pub use training::{Leak, Training};
pub use trials::{BATCHES, measure};
