//! Why a recording got no answer.

use einthoven_ecg::recipe::RecipeError;
use einthoven_plugin_host::Failure;

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
    /// The recipe cannot be applied to this recording.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The engine failed; not the caller's fault.
    #[error("the model could not be run: {0}")]
    Engine(#[from] Failure),
}
