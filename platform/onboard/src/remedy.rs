//! What to do about a rejection.

use einthoven_registry_state::{Rejection, Step};

/// A rejection with what would make it right.
pub(crate) fn rejection(step: Step, reason: impl Into<String>) -> Rejection {
    let remedy = match step {
        Step::Fetch => "look at what the reason names, then pull it again",
        Step::Manifest => "complete the manifest and bring the version again",
        Step::Digest => "its files were changed or lost after they came; bring the version again, and check the disk",
        Step::Load => {
            "export the network for an engine that is here (operators that it lacks are named above), or add an engine that \
             takes it; docs/engines.md says how. Where an engine was only late, bring the version again when the machine is less busy"
        }
        Step::Signature => "make `inputs` and `outputs` of the manifest say what the file has, or leave them out",
        Step::Golden => {
            "export the network and golden.json from the same weights; for a smaller precision, state the tolerance that the \
             card allows in `variants`"
        }
        Step::WarmUp => "take the batch sizes that fail out of `warm_up_rows`, or give the server more memory",
    };
    Rejection {
        step,
        reason: reason.into(),
        remedy: remedy.to_owned(),
    }
}
