//! The loaded versions, and the way from a reference to one of them.

use crate::budget::{Usage, counted, to_unload};
use crate::error::ServingError;
use crate::follow::at_most;
use crate::load::UnderWay;
use crate::route::Layouts;
use crate::tables::Tables;
use arc_swap::ArcSwap;
use einthoven_classify::{ServedModel, Serving};
use einthoven_registry::Registry;
use einthoven_registry_files::Store;
use einthoven_registry_state::{ModelName, Phase, Reference, Selector, Version, VersionName};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;
use tokio::sync::Semaphore;

/// What serving needs.
#[derive(Clone)]
pub struct Settings {
    /// Which versions there are and which answer.
    pub registry: Registry,
    /// Their files.
    pub files: Store,
    /// The engines.
    pub serving: Serving,
    /// What engines were measured to do.
    pub tables: Tables,
    /// What all loaded versions may count as together, in bytes.
    pub budget_bytes: u64,
}

/// Loads at once: enough that a slow one holds up no other, few enough that their files fit into memory.
const LOADS_AT_ONCE: usize = 4;

/// A version by its names.
pub(crate) type Key = (ModelName, VersionName);

/// One loaded version.
pub struct LoadedVersion {
    model: RwLock<Arc<ServedModel>>,
    counted_bytes: u64,
    /// Milliseconds after the start of this process.
    used_ms: AtomicU64,
}

/// All versions that are loaded here; cheap to clone.
#[derive(Clone)]
pub struct Loaded(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) versions: ArcSwap<HashMap<Key, Arc<LoadedVersion>>>,
    /// What answered for each model last: it goes on while what is to answer is loaded.
    answering: ArcSwap<HashMap<ModelName, VersionName>>,
    pub(crate) layouts: Layouts,
    /// Loads under way, by model and digest.
    pub(crate) loads: Mutex<HashMap<(ModelName, String), UnderWay>>,
    /// Loads at once.
    pub(crate) at_once: Semaphore,
    /// Loads at once that must be measured first.
    pub(crate) measuring: Semaphore,
    changing: Mutex<()>,
    started: Instant,
}

impl Loaded {
    /// Nothing is loaded yet; [`Loaded::follow`] brings in what the registry says.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(Inner {
            settings,
            versions: ArcSwap::default(),
            answering: ArcSwap::default(),
            layouts: Layouts::default(),
            loads: Mutex::default(),
            at_once: Semaphore::new(LOADS_AT_ONCE),
            measuring: Semaphore::new(1),
            changing: Mutex::default(),
            started: Instant::now(),
        }))
    }

    /// The model that a reference means, loaded; waits where it must be loaded first and nothing answers meanwhile.
    ///
    /// # Errors
    /// [`ServingError`] saying why there is none.
    pub async fn resolve(&self, reference: &Reference) -> Result<Arc<ServedModel>, ServingError> {
        let (version, meanwhile) = {
            let state = self.0.settings.registry.glance();
            let (model, version) = state.resolve(reference)?;
            if let Some(loaded) = self.get(&model.name, version) {
                // It may have been retired a moment ago, by name; what the traffic says is ready.
                ready(&model.name, version)?;
                if reference.selector == Selector::Traffic {
                    self.answers(&model.name, &version.name);
                }
                return Ok(loaded);
            }
            let meanwhile = match reference.selector {
                Selector::Traffic => self.answered(&model.name).and_then(|name| {
                    let before = model.versions.get(&name).filter(|before| before.is_ready())?;
                    self.get(&model.name, before)
                }),
                _ => None,
            };
            (Arc::clone(version), meanwhile)
        };
        if let Some(before) = meanwhile {
            let (this, model) = (self.clone(), reference.model.clone());
            tokio::spawn(async move { this.load(&model, &version).await });
            return Ok(before);
        }
        let loaded = self.load(&reference.model, &version).await?;
        if reference.selector == Selector::Traffic {
            self.answers(&reference.model, &version.name);
        }
        Ok(loaded)
    }

    /// The version if it is loaded; counts as a use. One of its name with another content, deleted since, is not it.
    #[must_use]
    pub fn get(&self, model: &ModelName, version: &Version) -> Option<Arc<ServedModel>> {
        let versions = self.0.versions.load();
        let loaded = versions.get(&(model.clone(), version.name.clone()))?;
        let served = loaded.model();
        if version.digest.as_deref() != Some(served.digest()) {
            return None;
        }
        let now = u64::try_from(self.0.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        loaded.used_ms.store(now, Ordering::Relaxed);
        Some(served)
    }

    /// What loaded versions count as.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let versions = self.0.versions.load();
        Usage {
            versions: versions.len(),
            counted_bytes: versions.values().map(|version| version.counted_bytes).sum(),
            budget_bytes: self.0.settings.budget_bytes,
        }
    }

    /// Every loaded version with its model's and its own name.
    #[must_use]
    pub fn list(&self) -> Vec<(ModelName, VersionName, Arc<ServedModel>)> {
        let versions = self.0.versions.load();
        let each = |(key, version): (&Key, &Arc<LoadedVersion>)| (key.0.clone(), key.1.clone(), version.model());
        let mut list: Vec<_> = versions.iter().map(each).collect();
        list.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        list
    }

    /// Models of which nothing answers yet though something is to, as `MODEL/VERSION`.
    #[must_use]
    pub fn waiting(&self) -> Vec<String> {
        let (state, versions) = (self.0.settings.registry.glance(), self.0.versions.load());
        let room = self.room();
        let waits = |model: &Arc<einthoven_registry_state::Model>| {
            let champion = model.versions.get(model.traffic.champion.as_ref()?)?;
            let loaded = versions.contains_key(&(model.name.clone(), champion.name.clone()));
            // What was put out to make room, or never had any, is loaded when it is asked for; it keeps nobody from being
            // ready.
            let asked_for = self.answered(&model.name).is_some() || at_most(champion) > room;
            (!loaded && !asked_for).then(|| champion.title(&model.name))
        };
        state.models.values().filter_map(waits).collect()
    }

    /// The settings it was made with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Refuses what does not fit even alone.
    pub(crate) fn must_fit(&self, key: &Key, file_bytes: u64) -> Result<(), ServingError> {
        let (needed_bytes, budget_bytes) = (counted(file_bytes), self.0.settings.budget_bytes);
        if needed_bytes <= budget_bytes {
            return Ok(());
        }
        Err(ServingError::NoRoom {
            title: format!("{}/{}", key.0, key.1),
            needed_bytes,
            budget_bytes,
        })
    }

    /// Makes room by putting out what was longest unused, and takes a version in.
    pub(crate) fn take_in(&self, key: Key, model: Arc<ServedModel>, file_bytes: u64) -> Result<(), ServingError> {
        let counted_bytes = counted(file_bytes);
        let _one = self.0.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut versions = HashMap::clone(&self.0.versions.load());
        versions.remove(&key);
        let keys: Vec<Key> = versions.keys().cloned().collect();
        let loaded: Vec<_> = keys
            .iter()
            .map(|key| {
                (
                    versions[key].counted_bytes,
                    versions[key].used_ms.load(Ordering::Relaxed),
                )
            })
            .collect();
        let budget_bytes = self.0.settings.budget_bytes;
        let gone = to_unload(&loaded, counted_bytes, budget_bytes).ok_or_else(|| ServingError::NoRoom {
            title: format!("{}/{}", key.0, key.1),
            needed_bytes: counted_bytes,
            budget_bytes,
        })?;
        for index in gone {
            let (model, version) = &keys[index];
            tracing::info!("version {model}/{version} is put out: others need its room");
            versions.remove(&keys[index]);
        }
        let used = u64::try_from(self.0.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let loaded = LoadedVersion {
            model: RwLock::new(model),
            counted_bytes,
            used_ms: AtomicU64::new(used),
        };
        versions.insert(key, Arc::new(loaded));
        self.0.versions.store(Arc::new(versions));
        Ok(())
    }

    /// Puts out what does not pass, by name and digest.
    pub(crate) fn retain(&self, keep: impl Fn(&Key, &str) -> bool) {
        let _one = self.0.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let versions = self.0.versions.load();
        let stays = |key: &Key, version: &Arc<LoadedVersion>| keep(key, version.model().digest());
        if versions.iter().all(|(key, version)| stays(key, version)) {
            return;
        }
        let mut left = HashMap::clone(&versions);
        left.retain(|key, version| stays(key, version));
        self.0.versions.store(Arc::new(left));
    }

    /// Puts another load of the same version in its place; requests that have the old one keep it until they are done.
    pub(crate) fn replace(&self, key: &Key, model: Arc<ServedModel>) {
        if let Some(version) = self.0.versions.load().get(key) {
            *version.model.write().unwrap_or_else(PoisonError::into_inner) = model;
        }
    }

    fn answered(&self, model: &ModelName) -> Option<VersionName> {
        self.0.answering.load().get(model).cloned()
    }

    /// The same where nothing answered before.
    pub(crate) fn answers_first(&self, model: &ModelName, version: &VersionName) {
        if self.answered(model).is_none() {
            self.answers(model, version);
        }
    }

    fn answers(&self, model: &ModelName, version: &VersionName) {
        if self.0.answering.load().get(model) == Some(version) {
            return;
        }
        self.0.answering.rcu(|answering| {
            let mut answering = HashMap::clone(answering);
            answering.insert(model.clone(), version.clone());
            answering
        });
    }
}

impl LoadedVersion {
    fn model(&self) -> Arc<ServedModel> {
        Arc::clone(&self.model.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Refuses a version that may not answer.
pub(crate) fn ready(model: &ModelName, version: &Version) -> Result<(), ServingError> {
    if matches!(version.phase, Phase::Ready(_)) {
        return Ok(());
    }
    Err(ServingError::NotReady {
        title: version.title(model),
        phase: version.phase.name(),
    })
}
