//! What all handlers share.

use super::access::{self, Table};
use super::caller::Caller;
use super::metrics;
use super::predictions::reads::Reads;
use super::problem::Problem;
use super::stream::Streams;
use crate::engines::Plugins;
use crate::experiments::Comparing;
use crate::journaling::Journaling;
use crate::lifecycle::Lifecycle;
use crate::recordings::Recordings;
use crate::shadows::Shadows;
use einthoven_auth::Auth;
use einthoven_jobs::Jobs;
use einthoven_onboard::{By, Onboarding};
use einthoven_registry::{Asked, Done, Registry};
use einthoven_registry_state::Change;
use einthoven_serving::Loaded;
use einthoven_telemetry::Metrics;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// What every handler shares.
pub(crate) struct App {
    pub(crate) plugins: Plugins,
    pub(crate) loaded: Loaded,
    pub(crate) onboarding: Onboarding,
    pub(crate) recordings: Recordings,
    pub(crate) journaling: Journaling,
    pub(crate) comparing: Comparing,
    pub(crate) shadows: Shadows,
    pub(crate) auth: Auth,
    /// Where this server is reached.
    pub(crate) access: Arc<access::Settings>,
    /// How often each address asks, where that is counted.
    pub(crate) addresses: Option<access::Addresses>,
    /// None where their definition is wrong.
    pub(crate) metrics: Option<Metrics>,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) jobs: Jobs,
    pub(crate) streams: Streams,
    /// Bytes of one request's body.
    pub(crate) body_limit: usize,
    /// Bytes of one upload of a model, and of what it unpacks to.
    pub(crate) model_limit: u64,
    /// KiB of bodies in memory at once, over all requests.
    pub(crate) upload_kib: Arc<Semaphore>,
    /// Heavy work at once.
    pub(crate) cores: Arc<Semaphore>,
    /// Who reads the journal at once.
    pub(crate) reads: Reads,
    /// Evaluations at once: each runs as long as its set is large, and classifying must go on meanwhile.
    pub(crate) evaluations: Arc<Semaphore>,
}

/// What is open before requests are answered; [`App`] says what each is.
pub(crate) struct Parts {
    pub(crate) plugins: Plugins,
    pub(crate) onboarding: Onboarding,
    pub(crate) recordings: Recordings,
    pub(crate) journaling: Journaling,
    pub(crate) comparing: Comparing,
    pub(crate) auth: Auth,
    pub(crate) access: access::Settings,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) jobs: Jobs,
    pub(crate) body_limit: usize,
    pub(crate) model_limit: u64,
}

impl App {
    /// The state of a server that answers `table`.
    pub(crate) fn new(table: &Table, parts: Parts) -> Arc<Self> {
        let Parts {
            plugins,
            onboarding,
            recordings,
            journaling,
            comparing,
            auth,
            access,
            lifecycle,
            jobs,
            body_limit,
            model_limit,
        } = parts;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Arc::new(Self {
            plugins,
            loaded: onboarding.loaded().clone(),
            onboarding,
            recordings,
            journaling,
            comparing,
            shadows: Shadows::default(),
            auth,
            addresses: access.address_rate.map(access::Addresses::new),
            access: Arc::new(access),
            metrics: metrics::of(table),
            lifecycle,
            jobs,
            streams: Streams::default(),
            body_limit,
            model_limit,
            upload_kib: Arc::new(Semaphore::new(2 * body_limit.div_ceil(1024))),
            cores: Arc::new(Semaphore::new(cores)),
            reads: Reads::default(),
            evaluations: Arc::new(Semaphore::new(1)),
        })
    }

    /// Makes a change that needs nothing loaded.
    pub(crate) async fn change(
        &self,
        caller: &Caller,
        reason: Option<String>,
        change: Change,
    ) -> Result<Done, Problem> {
        let By { who, why } = caller.by(reason)?;
        let asked = Asked {
            who,
            why,
            change,
            seen: caller.seen,
        };
        Ok(self.registry().change(asked).await?)
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.loaded.settings().registry
    }
}
