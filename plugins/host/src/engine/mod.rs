//! Engines as the rest of the product sees them: load a model, make an instance, run a batch.

mod call;
mod engines;
mod functions;
mod model;
mod outputs;
mod runner;

pub use engines::{EngineState, Engines};
pub use model::LoadedModel;
pub use outputs::{Output, Outputs};
pub use runner::{Cancellation, Runner, Until};
