//! Doing what the registry says, in the background.

use crate::budget::counted;
use crate::loaded::Loaded;
use einthoven_registry_state::{Model, ModelName, Origin, State, Version};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

impl Loaded {
    /// Loads what answers, puts out what may not, and goes on doing so with every change. Ends with the registry.
    pub async fn follow(self) {
        let mut changed = self.0.settings.registry.changed();
        loop {
            let state = self.0.settings.registry.state();
            self.retain(|(model, version), digest| {
                let there = state.models.get(model).and_then(|model| model.versions.get(version));
                there.is_some_and(|version| version.is_ready() && version.digest.as_deref() == Some(digest))
            });
            // Each on its own: one that takes long, or fails, holds up no other.
            for (model, version) in self.missing(&state) {
                let this = self.clone();
                tokio::spawn(async move { this.load_logged(&model, &version).await });
            }
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// Loads the champions that come with the binary, so that the server answers as soon as its port is open. Others are
    /// loaded by [`Loaded::follow`].
    pub async fn load_champions(&self) {
        let state = self.0.settings.registry.state();
        for (model, version) in self.missing(&state) {
            if version.origin == Origin::Embedded {
                self.load_logged(&model, &version).await;
            }
        }
    }

    /// Loads champions and challengers of models that have challengers, so that the first request of each arm is answered by it, and
    /// every shadow computes. What takes longer than `patience` is loaded meanwhile; until then champions answer.
    pub async fn load_challengers(&self, patience: Duration) {
        let state = self.0.settings.registry.state();
        let compares = |name: &ModelName| {
            let found = state.models.get(name);
            found.is_some_and(|model| !(model.traffic.splits.is_empty() && model.traffic.shadows.is_empty()))
        };
        let mut loads = JoinSet::new();
        for (model, version) in self.missing(&state).into_iter().filter(|(name, _)| compares(name)) {
            let this = self.clone();
            loads.spawn(async move { this.load_logged(&model, &version).await });
        }
        let all = async { while loads.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, all).await.is_err() {
            tracing::warn!("challengers are still being loaded; champions answer in their place");
        }
        loads.detach_all();
    }

    /// Champions and challengers that are not loaded, as far as there is room: what does not fit is loaded when somebody asks for it. Nothing
    /// is put out for them, or champions would put out each other at every change.
    fn missing(&self, state: &State) -> Vec<(ModelName, Arc<Version>)> {
        let versions = self.0.versions.load();
        let mut room = self.room();
        let named = |model: &Arc<Model>| {
            let there = model.traffic.versions().filter_map(|name| model.versions.get(name));
            let missing = there.filter(|version| {
                version.is_ready() && !versions.contains_key(&(model.name.clone(), version.name.clone()))
            });
            missing
                .map(|version| (model.name.clone(), Arc::clone(version)))
                .collect::<Vec<_>>()
        };
        let mut fits = |(_, version): &(ModelName, Arc<Version>)| {
            let needed = at_most(version);
            let fits = needed <= room;
            room -= if fits { needed } else { 0 };
            fits
        };
        let missing: Vec<_> = state.models.values().flat_map(named).collect();
        missing.into_iter().filter(|missing| fits(missing)).collect()
    }

    async fn load_logged(&self, model: &ModelName, version: &Version) {
        match self.load(model, version).await {
            Ok(_) => {
                let state = self.0.settings.registry.state();
                let found = state.models.get(model);
                // A challenger answers nobody in the champion's place while that is loaded.
                if found.is_some_and(|model| model.traffic.champion.as_ref() == Some(&version.name)) {
                    self.answers_first(model, &version.name);
                }
                tracing::debug!("{} is loaded", version.title(model));
            }
            Err(cause) => tracing::error!("{cause}"),
        }
    }

    /// Measures every loaded embedded version that has no table of engines yet.
    pub async fn measure_missing(&self) {
        let state = self.0.settings.registry.state();
        for (model, version, served) in self.list() {
            let found = state.models.get(&model).and_then(|model| model.versions.get(&version));
            let settings = &self.0.settings;
            if let Some(found) = found.filter(|found| found.origin == Origin::Embedded)
                && settings.tables.kept(served.digest(), &settings.serving).is_none()
            {
                self.measure((model, version), Arc::clone(found)).await;
            }
        }
    }

    /// Bytes that more versions may count as, with nothing put out.
    pub(crate) fn room(&self) -> u64 {
        let usage = self.usage();
        usage.budget_bytes.saturating_sub(usage.counted_bytes)
    }
}

/// What a version counts as at most: which of its files is loaded is not known before.
pub(crate) fn at_most(version: &Version) -> u64 {
    let sizes = version.files.iter().map(|file| file.size_bytes);
    counted(sizes.max().unwrap_or(0))
}
