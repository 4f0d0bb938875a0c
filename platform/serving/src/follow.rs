//! Doing what the registry says, in the background.

use crate::loaded::Loaded;
use einthoven_registry_state::{Origin, State};
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
            self.load_champions(&state);
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// Starts the load of every champion that is not loaded, as far as there is room: what does not fit is loaded when
    /// somebody asks for it.
    fn load_champions(&self, state: &Arc<State>) {
        for model in state.models.values() {
            let champion = model.traffic.champion.as_ref().and_then(|name| model.versions.get(name));
            let Some(version) = champion.filter(|version| version.is_ready()) else {
                continue;
            };
            let key = (model.name.clone(), version.name.clone());
            if self.0.versions.load().contains_key(&key) || self.is_full() {
                continue;
            }
            let (this, version) = (self.clone(), Arc::clone(version));
            tokio::spawn(async move {
                match this.load(&key.0, &version).await {
                    Ok(_) => tracing::debug!("{} is loaded", version.title(&key.0)),
                    Err(cause) => tracing::error!("{cause}"),
                }
            });
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

    fn is_full(&self) -> bool {
        let usage = self.usage();
        usage.counted_bytes >= usage.budget_bytes
    }
}
