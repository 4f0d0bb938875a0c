//! Why a recording got no answer.

use einthoven_dispatch::DispatchError;
use einthoven_ecg::recipe::RecipeError;
use einthoven_plugin_host::{Code, Failure};
use std::time::Duration;

/// Why a recording got no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClassifyError {
    /// The lead asked for is not in the recording.
    #[error("the recording has no lead `{asked}`; it has: {}. Choose one by the query parameter `lead`, the form field `lead` or the flag `--lead`", there.join(", "))]
    NoSuchLead {
        /// What was asked for.
        asked: String,
        /// The leads there are.
        there: Vec<String>,
    },
    /// The model's recipe takes another kind of input.
    #[error("model `{model}` takes {takes}, not {given}")]
    WrongKind {
        /// The model.
        model: String,
        /// What its recipe takes.
        takes: &'static str,
        /// What was sent.
        given: &'static str,
    },
    /// The version has no recipe.
    #[error("model `{model}` has no recipe and takes tensors alone, over /v2 and /invocations; it classifies nothing")]
    TensorsOnly {
        /// The model.
        model: String,
    },
    /// Too much waits for the model.
    #[error("too much waits for the model; try again in {:.1} s", retry_after.as_secs_f64())]
    Busy {
        /// When there will likely be room.
        retry_after: Duration,
    },
    /// The deadline passed first.
    #[error("the deadline passed before the model answered")]
    Late,
    /// The recipe cannot be applied to this recording.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// Whoever asked for it ended it.
    #[error("it was ended before it was done")]
    Stopped,
    /// The engine failed; not the caller's fault.
    #[error("the model could not be run: {0}")]
    Engine(#[from] Failure),
}

impl From<DispatchError> for ClassifyError {
    fn from(why: DispatchError) -> Self {
        match why {
            DispatchError::Full { retry_after } => Self::Busy { retry_after },
            DispatchError::Expired => Self::Late,
            DispatchError::Invalid(failure) | DispatchError::Failed(failure) => Self::Engine(failure),
            other => Self::Engine(Failure::new(Code::Unavailable, other.to_string())),
        }
    }
}
