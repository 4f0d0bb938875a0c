//! Doing what the registry says, in the background.

use crate::loaded::Loaded;
use einthoven_registry_state::{Model, ModelName, Origin, State, Version};
use std::sync::Arc;

impl Loaded {
    /// Loads what answers, puts out what may not, and goes on doing so with every change. Ends with the registry.
    pub async fn follow(self) {
        let mut changed = self.0.settings.registry.changed();
        loop {
            let state = self.0.settings.registry.state();
            self.retain(|(model, version)| {
                let there = state.models.get(model).and_then(|model| model.versions.get(version));
                there.is_some_and(|version| version.is_ready())
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

    /// Champions that are not loaded, as far as there is room: what does not fit is loaded when somebody asks for it.
    fn missing(&self, state: &State) -> Vec<(ModelName, Arc<Version>)> {
        if self.is_full() {
            return Vec::new();
        }
        let versions = self.0.versions.load();
        let champion = |model: &Arc<Model>| {
            let version = model.versions.get(model.traffic.champion.as_ref()?)?;
            let key = (model.name.clone(), version.name.clone());
            (version.is_ready() && !versions.contains_key(&key)).then(|| (key.0, Arc::clone(version)))
        };
        state.models.values().filter_map(champion).collect()
    }

    async fn load_logged(&self, model: &ModelName, version: &Version) {
        match self.load(model, version).await {
            Ok(_) => tracing::debug!("{} is loaded", version.title(model)),
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

    pub(crate) fn is_full(&self) -> bool {
        let usage = self.usage();
        usage.counted_bytes >= usage.budget_bytes
    }
}
