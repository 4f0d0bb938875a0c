//! The first run of anything newly brought in: in a child, with limits, thrown away afterwards.

use crate::crashes::Crashes;
use crate::live::{Fault, Live, Spawner};
use crate::protocol::{LoadRequest, Opened};
use crate::worker::told;
use einthoven_plugin_host::{Failure, Outputs, TensorView, Until};
use std::collections::BTreeMap;
use std::time::Duration;

/// What became of it.
#[derive(Debug)]
pub struct Trial {
    /// What the engine said of the model.
    pub opened: Opened,
    /// What it computed.
    pub outputs: Outputs,
    /// Median time of a batch of each size asked for, by its rows; without those for which there was no time.
    pub times: BTreeMap<usize, Duration>,
}

/// Loads a model in a child, runs `inputs` once, and measures batches made of their rows. What takes too long to be measured
/// is not: that says how fast the model is here and now, not whether it is right.
///
/// # Errors
/// Why it must not be brought in: the engine's refusal, or how the child died.
pub fn trial(
    spawner: &Spawner,
    request: &LoadRequest,
    inputs: &[TensorView<'_>],
    batches: &[usize],
) -> Result<Trial, Failure> {
    let words = |when| move |fault: Fault| told(fault, &Crashes::default(), when);
    let limit = spawner.limits.batch;
    let mut live = Live::start(spawner, request).map_err(words("while it loaded"))?;
    let outputs = live
        .run(inputs, &Until::default(), limit)
        .map_err(words("during its first run"))?;
    let mut times = BTreeMap::new();
    for &rows in batches {
        match live.measure(inputs, rows, limit) {
            Ok(time) => times.insert(rows, time),
            Err(Fault::Late(late)) => {
                tracing::warn!("batches of {rows} rows and more are not measured: {late}");
                break;
            }
            Err(fault) => return Err(words("while it was measured")(fault)),
        };
    }
    Ok(Trial {
        opened: live.opened.clone(),
        outputs,
        times,
    })
}
