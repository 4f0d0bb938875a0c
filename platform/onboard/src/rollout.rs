//! Changes of what answers: loaded first, written down then.

use crate::error::OnboardError;
use crate::onboarding::{By, Onboarding};
use einthoven_registry::{ChangeError, Done};
use einthoven_registry_state::{
    Change, Event, ExperimentName, Model, ModelName, Refusal, Traffic, VersionName, Wanted,
};

impl Onboarding {
    /// Loads a version here, then lets it answer alone: between two requests, with nothing dropped. What answered before
    /// goes on until then, and for ever where the load fails.
    ///
    /// # Errors
    /// Why it does not load, or why the registry says no.
    pub async fn promote(
        &self,
        by: &By,
        model: &ModelName,
        version: &VersionName,
        seen: Option<u64>,
    ) -> Result<Done, OnboardError> {
        let change = Change::Promote {
            model: model.clone(),
            version: version.clone(),
        };
        self.change_traffic(by, model, change, seen).await
    }

    /// The same for a whole policy: every version in it is loaded before any of it holds.
    ///
    /// # Errors
    /// As for [`Onboarding::promote`].
    pub async fn set_traffic(
        &self,
        by: &By,
        model: &ModelName,
        traffic: Traffic,
        seen: Option<u64>,
    ) -> Result<Done, OnboardError> {
        let change = Change::SetTraffic {
            model: model.clone(),
            traffic,
        };
        self.change_traffic(by, model, change, seen).await
    }

    /// Begins a comparison, loaded like any traffic.
    ///
    /// # Errors
    /// As for [`Onboarding::promote`].
    pub async fn start_experiment(
        &self,
        by: &By,
        model: &ModelName,
        experiment: &ExperimentName,
        wanted: Wanted,
        seen: Option<u64>,
    ) -> Result<Done, OnboardError> {
        let change = Change::StartExperiment {
            model: model.clone(),
            experiment: experiment.clone(),
            wanted,
        };
        self.change_traffic(by, model, change, seen).await
    }

    /// Changes the shares or rules of a comparison that runs.
    ///
    /// # Errors
    /// As for [`Onboarding::promote`].
    pub async fn change_experiment(
        &self,
        by: &By,
        model: &ModelName,
        experiment: &ExperimentName,
        wanted: Wanted,
        seen: Option<u64>,
    ) -> Result<Done, OnboardError> {
        let change = Change::ChangeExperiment {
            model: model.clone(),
            experiment: experiment.clone(),
            wanted,
        };
        self.change_traffic(by, model, change, seen).await
    }

    async fn change_traffic(
        &self,
        by: &By,
        model: &ModelName,
        change: Change,
        seen: Option<u64>,
    ) -> Result<Done, OnboardError> {
        loop {
            let state = self.registry().state();
            let found = state.model(model)?;
            // What is refused anyway, or only proposed, loads nothing.
            let events = state.decide(&by.who, change.clone())?;
            if seen.is_none_or(|seen| seen == found.revision) {
                for event in &events {
                    if let Event::TrafficChanged { from, to, .. } = event {
                        cooled_down(found, from, to)?;
                        for version in to.versions() {
                            self.loaded().load(model, found.version(version)?).await?;
                        }
                    }
                }
            }
            // What was loaded, and may answer, must be what comes: a challenger may have been withdrawn while another was loaded.
            let pinned = seen.or(Some(found.revision));
            match self.change(by, change.clone(), pinned).await {
                Err(ChangeError::Refused(Refusal::ChangedMeanwhile { .. })) if seen.is_none() => {}
                done => return Ok(done?),
            }
        }
    }

    /// The previous traffic again, loaded before it answers.
    ///
    /// # Errors
    /// As for [`Onboarding::promote`].
    pub async fn roll_back(&self, by: &By, model: &ModelName, seen: Option<u64>) -> Result<Done, OnboardError> {
        loop {
            let state = self.registry().state();
            let found = state.model(model)?;
            let before = found.previous().unwrap_or_default();
            cooled_down(found, &found.traffic, &before)?;
            for version in before.versions() {
                self.loaded().load(model, found.version(version)?).await?;
            }
            // What was loaded must be what comes back.
            let pinned = seen.or(Some(found.revision));
            match self.change(by, Change::RollBack { model: model.clone() }, pinned).await {
                Err(ChangeError::Refused(Refusal::ChangedMeanwhile { .. })) if seen.is_none() => {}
                done => return Ok(done?),
            }
        }
    }
}

/// Refuses challengers that were withdrawn not long ago. Promoting one is somebody's own decision.
fn cooled_down(model: &Model, from: &Traffic, to: &Traffic) -> Result<(), Refusal> {
    let now = jiff::Timestamp::now();
    let new = to
        .splits
        .iter()
        .chain(&to.shadows)
        .map(|challenger| &challenger.version);
    for version in new.filter(|version| !from.names(version)) {
        if let Some(until) = model.cooling(version, now) {
            return Err(Refusal::Cooling {
                model: model.name.clone(),
                version: version.clone(),
                until,
            });
        }
    }
    Ok(())
}
