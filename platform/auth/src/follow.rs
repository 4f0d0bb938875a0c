//! Issuers and their keys: fetched beside requests, never on their way.

use crate::fetch::{self, Published};
use arc_swap::ArcSwapOption;
use einthoven_registry_state::{Access, Issuer, IssuerName};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, sleep_until};

/// How long after a first failure it is tried again; doubled with each further one, up to the usual pause.
const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// All issuers that are followed.
pub(crate) struct Issuers {
    followed: RwLock<HashMap<IssuerName, Arc<Followed>>>,
    changes: Arc<AtomicU64>,
    refresh: Duration,
    least: Duration,
}

/// One issuer, and what is known of it.
pub(crate) struct Followed {
    pub(crate) issuer: Arc<Issuer>,
    published: Arc<ArcSwapOption<Published>>,
    wanted: Arc<Notify>,
    task: AbortHandle,
}

impl Followed {
    /// What it published when it was last asked; nothing before that.
    pub(crate) fn published(&self) -> Option<Arc<Published>> {
        self.published.load_full()
    }

    /// Says that a key is missing. It is fetched soon, but not more often than is allowed.
    pub(crate) fn want(&self) {
        self.wanted.notify_one();
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Issuers {
    /// Keys are fetched every `refresh`, and for tokens that ask for unknown ones no sooner than `least` after the last time.
    pub(crate) fn new(refresh: Duration, least: Duration) -> Self {
        Self {
            followed: RwLock::default(),
            changes: Arc::default(),
            refresh,
            least,
        }
    }

    /// Counts how often any issuer's keys changed.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// The issuer as it is set now; none where its keys are still being looked for.
    pub(crate) fn get(&self, issuer: &Issuer) -> Option<Arc<Followed>> {
        let followed = self.followed.read().unwrap_or_else(PoisonError::into_inner);
        let found = followed.get(&issuer.name)?;
        (found.issuer.revision == issuer.revision).then(|| Arc::clone(found))
    }

    /// Follows the issuers that are set, and no others.
    pub(crate) fn follow(&self, access: &Access) {
        let mut followed = self.followed.write().unwrap_or_else(PoisonError::into_inner);
        let before = followed.len();
        followed.retain(|name, known| {
            let now = access.issuers.get(name);
            now.is_some_and(|now| now.revision == known.issuer.revision)
        });
        if followed.len() != before {
            self.changes.fetch_add(1, Ordering::AcqRel);
        }
        for (name, issuer) in &access.issuers {
            if !followed.contains_key(name) {
                followed.insert(name.clone(), Arc::new(self.begin(issuer)));
            }
        }
    }

    fn begin(&self, issuer: &Arc<Issuer>) -> Followed {
        let published = Arc::new(ArcSwapOption::empty());
        let wanted = Arc::new(Notify::new());
        let watch = Watch {
            issuer: Arc::clone(issuer),
            published: Arc::clone(&published),
            wanted: Arc::clone(&wanted),
            changes: Arc::clone(&self.changes),
            refresh: self.refresh,
            least: self.least,
        };
        Followed {
            issuer: Arc::clone(issuer),
            published,
            wanted,
            task: tokio::spawn(watch.run()).abort_handle(),
        }
    }
}

struct Watch {
    issuer: Arc<Issuer>,
    published: Arc<ArcSwapOption<Published>>,
    wanted: Arc<Notify>,
    changes: Arc<AtomicU64>,
    refresh: Duration,
    least: Duration,
}

impl Watch {
    async fn run(self) {
        let mut failed = 0_u32;
        loop {
            let begun = Instant::now();
            match self.fetch().await {
                Ok(published) => {
                    failed = 0;
                    self.publish(published);
                }
                // What is known stays good: an issuer that is down for an hour locks nobody out.
                Err(cause) => {
                    failed = failed.saturating_add(1);
                    tracing::warn!(issuer = %self.issuer.name, "the keys of an issuer cannot be fetched: {cause}");
                }
            }
            let pause = match failed {
                0 => self.refresh,
                _ => FIRST_PAUSE.saturating_mul(1 << failed.min(12)).min(self.refresh),
            };
            tokio::select! {
                () = sleep(pause) => {}
                () = self.wanted.notified() => sleep_until(begun + self.least.min(pause)).await,
            }
        }
    }

    async fn fetch(&self) -> Result<Published, fetch::Failure> {
        // Made each time, so that a renewed file of certificates counts.
        let client = fetch::client(&self.issuer.settings)?;
        fetch::published(&client, &self.issuer.settings).await
    }

    fn publish(&self, published: Published) {
        if self.published.load().as_deref() != Some(&published) {
            let keys = published.keys.len();
            self.published.store(Some(Arc::new(published)));
            self.changes.fetch_add(1, Ordering::AcqRel);
            tracing::info!(issuer = %self.issuer.name, keys, "the keys of an issuer are new");
        }
    }
}
