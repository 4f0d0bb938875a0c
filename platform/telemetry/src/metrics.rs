//! Everything that is counted, and how it is written down for Prometheus.

use crate::bounded::BoundedCounters;
use crate::experiments::{self, ArmReading, DriftReading};
use crate::exposition::Family;
use crate::models::{self, ModelReading};
use crate::process;
use crate::routes::{Route, Routes, Vectors};
use crate::stage::{LOADS, STAGES};
use prometheus::proto::MetricFamily;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};
use std::sync::Arc;

/// Upper bounds of every histogram of times: half a millisecond to a minute.
pub(crate) const SECONDS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0,
];

/// Types of problems with series of their own: they are words of this program's, about a hundred.
const PROBLEMS: usize = 256;

/// Statuses that problems are counted by.
const STATUSES: [(u16, &str); 17] = [
    (400, "400"),
    (401, "401"),
    (403, "403"),
    (404, "404"),
    (405, "405"),
    (408, "408"),
    (409, "409"),
    (413, "413"),
    (415, "415"),
    (421, "421"),
    (422, "422"),
    (429, "429"),
    (500, "500"),
    (502, "502"),
    (503, "503"),
    (504, "504"),
    (507, "507"),
];

/// The media type of what [`Metrics::render`] gives.
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// What is read at the moment it is asked for.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Every loaded version.
    pub models: Vec<ModelReading>,
    /// What loaded versions count as together, in bytes.
    pub model_memory_bytes: u64,
    /// What they may, in bytes.
    pub model_memory_budget_bytes: u64,
    /// Models of which nothing answers yet though something is to.
    pub models_waiting: u64,
    /// Recordings that shadows were to compute and did not, because too much waited.
    pub shadows_dropped: u64,
    /// Challengers that this server took out of their experiments because they broke a rail.
    pub withdrawals: u64,
    /// Versions that are compared.
    pub arms: Vec<ArmReading>,
    /// What became of their recordings.
    pub drift: Vec<DriftReading>,
    /// Long jobs by their state, such as `queued`; words of the program's own.
    pub jobs: Vec<(&'static str, u64)>,
    /// What became of answers in the journal; none where nothing is remembered.
    pub journal: Option<JournalReading>,
}

/// What a journal counted since it was opened.
#[derive(Debug, Clone, Copy, Default)]
pub struct JournalReading {
    /// Entries on disk, or as good as the mode promises.
    pub stored: u64,
    /// Entries that were not taken, or lost.
    pub dropped: u64,
    /// Answers that the share of sampling left out.
    pub unsampled: u64,
    /// Writes that failed.
    pub failed_writes: u64,
    /// Entries that wait for the disk now.
    pub waiting: u64,
    /// How often a person who was to be forgotten could not be erased.
    pub unerased: u64,
    /// People whose erasure failed and is tried again.
    pub erasures_open: u64,
}

/// Everything that a server counts; cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    routes: Routes,
    in_flight: IntGauge,
    problems: BoundedCounters,
    version: &'static str,
}

/// The families of a journal.
fn journal(reading: &JournalReading) -> [Family; 5] {
    let mut entries = Family::counter(
        "einthoven_journal_entries_total",
        "Answers, by what the journal did with them.",
    );
    for (outcome, count) in [
        ("stored", reading.stored),
        ("dropped", reading.dropped),
        ("unsampled", reading.unsampled),
    ] {
        entries.add(&[("outcome", outcome)], count as f64);
    }
    let mut failed = Family::counter(
        "einthoven_journal_failed_writes_total",
        "Writes of the journal that failed.",
    );
    failed.add(&[], reading.failed_writes as f64);
    let mut waiting = Family::gauge("einthoven_journal_waiting_entries", "Entries that wait for the disk.");
    waiting.add(&[], reading.waiting as f64);
    let mut unerased = Family::counter(
        "einthoven_erasures_failed_total",
        "Times that a person who was to be forgotten could not be erased here.",
    );
    unerased.add(&[], reading.unerased as f64);
    let mut open = Family::gauge(
        "einthoven_erasures_open",
        "People whose erasure failed here and is tried again.",
    );
    open.add(&[], reading.erasures_open as f64);
    [entries, failed, waiting, unerased, open]
}

impl Metrics {
    /// With all series of these routes at zero. `version` is the program's.
    ///
    /// # Errors
    /// Where a definition is wrong, which is a fault of this crate's.
    pub fn new(routes: impl IntoIterator<Item = Route>, version: &'static str) -> Result<Self, prometheus::Error> {
        let requests = IntCounterVec::new(
            Opts::new(
                "einthoven_http_requests_total",
                "Requests, by route and by how they ended.",
            ),
            &["route", "method", "status"],
        )?;
        let seconds = HistogramVec::new(
            HistogramOpts::new(
                "einthoven_http_request_duration_seconds",
                "From a request's head to the head of its answer.",
            )
            .buckets(SECONDS.to_vec()),
            &["route", "method"],
        )?;
        let bytes = IntCounterVec::new(
            Opts::new("einthoven_http_request_bytes_total", "Bytes of bodies that were read."),
            &["route", "method"],
        )?;
        let problems = IntCounterVec::new(
            Opts::new(
                "einthoven_problems_total",
                "Requests that were refused or failed, by type of problem.",
            ),
            &["type", "status"],
        )?;
        let in_flight = IntGauge::new("einthoven_http_requests_in_flight", "Requests without an answer yet.")?;
        let registry = Registry::new();
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(seconds.clone()))?;
        registry.register(Box::new(bytes.clone()))?;
        registry.register(Box::new(problems.clone()))?;
        registry.register(Box::new(in_flight.clone()))?;
        for times in [&*STAGES, &*LOADS].into_iter().flatten() {
            registry.register(Box::new(times.vector.clone()))?;
        }
        let vectors = Vectors {
            requests,
            seconds,
            bytes,
        };
        Ok(Self(Arc::new(Inner {
            registry,
            routes: Routes::new(routes, &vectors),
            in_flight,
            problems: BoundedCounters::new(problems, PROBLEMS),
            version,
        })))
    }

    /// Everything, in Prometheus's text format.
    ///
    /// # Errors
    /// Where a family contradicts itself, which is a fault of this crate's.
    pub fn render(&self, snapshot: Snapshot) -> Result<String, prometheus::Error> {
        let mut families = self.0.registry.gather();
        // One without series is refused by the encoder.
        families.retain(|family| !family.get_metric().is_empty());
        families.extend(self.described(&snapshot));
        families.extend(models::families(snapshot.models));
        families.extend(experiments::families(snapshot.arms, snapshot.drift));
        families.extend(process::families());
        families.sort_by(|a, b| a.name().cmp(b.name()));
        TextEncoder::new().encode_to_string(&families)
    }

    pub(crate) fn routes(&self) -> &Routes {
        &self.0.routes
    }

    pub(crate) fn in_flight(&self) -> &IntGauge {
        &self.0.in_flight
    }

    pub(crate) fn problem(&self, kind: &str, status: u16) {
        let found = STATUSES.iter().find(|(code, _)| *code == status);
        self.0.problems.add(kind, found.map_or("other", |(_, text)| text));
    }

    fn described(&self, snapshot: &Snapshot) -> Vec<MetricFamily> {
        let mut build = Family::gauge("einthoven_build_info", "Always 1; the label says which version runs.");
        build.add(&[("version", self.0.version)], 1.0);
        let mut jobs = Family::gauge("einthoven_jobs", "Long jobs, by their state.");
        for (state, count) in &snapshot.jobs {
            jobs.add(&[("state", state)], *count as f64);
        }
        let mut shadows = Family::counter(
            "einthoven_shadows_dropped_total",
            "Recordings that shadows were to compute and did not, because too much waited.",
        );
        shadows.add(&[], snapshot.shadows_dropped as f64);
        let mut withdrawals = Family::counter(
            "einthoven_experiment_withdrawals_total",
            "Challengers that this server took out of their experiments because they broke a rail.",
        );
        withdrawals.add(&[], snapshot.withdrawals as f64);
        let plain = [
            (
                "einthoven_model_memory_bytes",
                "What loaded versions count as together.",
                snapshot.model_memory_bytes,
            ),
            (
                "einthoven_model_memory_budget_bytes",
                "What loaded versions may count as together.",
                snapshot.model_memory_budget_bytes,
            ),
            (
                "einthoven_models_loaded",
                "Versions that are loaded.",
                snapshot.models.len() as u64,
            ),
            (
                "einthoven_models_waiting",
                "Models of which nothing answers yet though something is to.",
                snapshot.models_waiting,
            ),
        ];
        let plain = plain.map(|(name, help, value)| {
            let mut family = Family::gauge(name, help);
            family.add(&[], value as f64);
            family
        });
        [build, jobs, shadows, withdrawals]
            .into_iter()
            .chain(snapshot.journal.iter().flat_map(journal))
            .chain(plain)
            .filter_map(Family::done)
            .collect()
    }
}
