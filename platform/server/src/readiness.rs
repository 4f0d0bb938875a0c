//! Whether this server, and each model on it, is ready: one truth for every route that tells it.

use crate::lifecycle::{Lifecycle, Phase};
use einthoven_registry_state::{Reference, Refusal, Selector};
use einthoven_serving::Loaded;

/// Why something is not ready.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unready {
    /// Models are being loaded for the first time.
    #[error("the server is starting")]
    Starting,
    /// It was told to stop.
    #[error("the server is stopping; ask another")]
    Draining,
    /// These are to answer and do not: they are being loaded, or could not be.
    #[error("not loaded yet: {}", .0.join(", "))]
    Waiting(Vec<String>),
}

/// Ready when every model that is to answer does: its champion is loaded and gave its golden outputs, or another version of it goes
/// on until then. A server without models is ready: it can take them.
pub(crate) fn server(lifecycle: &Lifecycle, loaded: &Loaded) -> Result<(), Unready> {
    told(lifecycle.phase(), || loaded.waiting())
}

/// Ready when a request for it would be answered at once by a version that is loaded, was warmed up and gave its golden outputs.
///
/// # Errors
/// [`Refusal`] where nothing is of that name or nothing of it is to answer.
pub(crate) fn model(
    lifecycle: &Lifecycle,
    loaded: &Loaded,
    reference: &Reference,
) -> Result<Result<(), Unready>, Refusal> {
    let state = loaded.settings().registry.state();
    let (model, version) = state.resolve(reference)?;
    let title = version.title(&model.name);
    let mut answers = loaded.get(&model.name, version).is_some();
    if !answers && reference.selector == Selector::Traffic {
        // Another version goes on while the champion is loaded; only what never answered, and cannot, is waited for.
        answers = !loaded.waiting().contains(&title) && loaded.list().iter().any(|(name, ..)| *name == model.name);
    }
    let waiting = || if answers { Vec::new() } else { vec![title.clone()] };
    Ok(match told(lifecycle.phase(), waiting) {
        // The others may still be on their way; this one is not concerned.
        Err(Unready::Starting) if answers => Ok(()),
        told => told,
    })
}

fn told(phase: Phase, waiting: impl FnOnce() -> Vec<String>) -> Result<(), Unready> {
    match phase {
        Phase::Starting => Err(Unready::Starting),
        Phase::Draining | Phase::Closing => Err(Unready::Draining),
        Phase::Serving => Some(waiting())
            .filter(|waiting| !waiting.is_empty())
            .map_or(Ok(()), |waiting| Err(Unready::Waiting(waiting))),
    }
}

#[cfg(test)]
mod tests {
    use super::{Phase, Unready, told};

    #[test]
    fn the_truth_table() {
        let one = || vec!["heartbeat/1".to_owned()];
        let table = [
            // Starting says so, whatever is loaded already; stopping too.
            (Phase::Starting, vec![], Err(Unready::Starting)),
            (Phase::Starting, one(), Err(Unready::Starting)),
            // No models, or all loaded.
            (Phase::Serving, vec![], Ok(())),
            // Loading, or failed to load.
            (Phase::Serving, one(), Err(Unready::Waiting(one()))),
            (Phase::Draining, vec![], Err(Unready::Draining)),
            (Phase::Draining, one(), Err(Unready::Draining)),
            (Phase::Closing, vec![], Err(Unready::Draining)),
        ];
        for (phase, waiting, expected) in table {
            assert_eq!(told(phase, || waiting.clone()), expected, "{phase:?} {waiting:?}");
        }
    }
}
