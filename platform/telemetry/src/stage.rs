//! Where the time of a classification goes.

use prometheus::{Histogram, HistogramOpts, HistogramVec};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// A part of the way from a body to a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The body comes in.
    Receive,
    /// Files are unpacked and read.
    Read,
    /// The model that is meant is looked up, and loaded where it must be.
    Resolve,
    /// R peaks, quality, tensors, the engine, the document.
    Classify,
}

impl Stage {
    const ALL: [Self; 4] = [Self::Receive, Self::Read, Self::Resolve, Self::Classify];

    fn label(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Read => "read",
            Self::Resolve => "resolve",
            Self::Classify => "classify",
        }
    }

    /// Counts a stage that took that long and ends now, and tells whoever traces the request.
    pub fn took(self, duration: Duration) {
        let took_ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        tracing::debug!(target: "einthoven::stage", stage = self.label(), took_ns, "stage");
        if let Some(stages) = &*STAGES {
            stages.each[self as usize].observe(duration.as_secs_f64());
        }
    }

    /// Starts its clock; it is counted when what is given goes.
    #[must_use]
    pub fn running(self) -> Running {
        Running {
            stage: self,
            since: Instant::now(),
        }
    }
}

/// A stage under way.
#[derive(Debug)]
pub struct Running {
    stage: Stage,
    since: Instant,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stage.took(self.since.elapsed());
    }
}

/// Counts a version that was to be loaded and took that long, or failed after it.
pub fn load_took(duration: Duration, succeeded: bool) {
    if let Some(loads) = &*LOADS {
        loads.each[usize::from(!succeeded)].observe(duration.as_secs_f64());
    }
}

pub(crate) struct Stages {
    pub(crate) vector: HistogramVec,
    each: Vec<Histogram>,
}

/// One for the process: a stage does not know which server it runs for. None only if the definition itself were wrong.
pub(crate) static STAGES: LazyLock<Option<Stages>> = LazyLock::new(|| {
    let options = HistogramOpts::new(
        "einthoven_stage_duration_seconds",
        "Time of each stage of a classification; waiting and running in queues of models stand under einthoven_model.",
    )
    .buckets(crate::metrics::SECONDS.to_vec());
    let vector = HistogramVec::new(options, &["stage"]).ok()?;
    let each = Stage::ALL.map(|stage| vector.with_label_values(&[stage.label()]));
    Some(Stages {
        vector,
        each: each.to_vec(),
    })
});

/// Loads, by how they ended: for the process, as the stages are.
pub(crate) static LOADS: LazyLock<Option<Stages>> = LazyLock::new(|| {
    let options = HistogramOpts::new(
        "einthoven_model_load_duration_seconds",
        "Bringing a version in: its files checked, tried on an engine, its golden outputs compared.",
    )
    .buckets(crate::metrics::SECONDS.to_vec());
    let vector = HistogramVec::new(options, &["outcome"]).ok()?;
    let each = ["loaded", "failed"].map(|outcome| vector.with_label_values(&[outcome]));
    Some(Stages {
        vector,
        each: each.to_vec(),
    })
});
