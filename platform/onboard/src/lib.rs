//! From a file or an MLflow version to one that may serve: drafted, stored, tried in child processes, judged.
//!
//! [`Onboarding`] does all of it. [`Candidate`] is what comes in; a [`draft`](draft::draft) completes its manifest from the
//! network itself and says what only a person can know.
#![forbid(unsafe_code)]

mod candidate;
mod draft;
mod embedded;
mod error;
mod golden;
mod onboarding;
mod onnx;
mod pull;
mod remedy;
mod resume;
mod rollout;
mod sources;
mod sync;
mod trial;
mod verify;

pub use candidate::{Candidate, CandidateFile, Stated};
pub use embedded::EmbeddedVersion;
pub use error::{FieldProblem, OnboardError};
pub use onboarding::{Added, By, Onboarding};
pub use pull::Pull;
pub use sources::SourceStatus;
