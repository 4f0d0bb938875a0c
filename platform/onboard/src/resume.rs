//! Taking up what an earlier process left half done.

use crate::onboarding::{By, Onboarding};
use einthoven_registry_state::{Model, ModelName, Origin, Phase, Version};
use std::sync::Arc;

impl Onboarding {
    /// Takes up what an earlier process left half done: versions that were being fetched or tried.
    pub async fn resume(&self) {
        let state = self.registry().state();
        for model in state.models.values() {
            for version in model.versions.values() {
                match version.phase {
                    Phase::Verifying => {
                        let promote = followed(version);
                        self.try_in_background(model.name.clone(), version.name.clone(), promote);
                    }
                    Phase::Ready(_) if never_promoted(model, version) => {
                        let (this, model, version) = (self.clone(), model.name.clone(), Arc::clone(version));
                        tokio::spawn(async move { this.promote_followed(&model, &version).await });
                    }
                    Phase::Fetching => self.fetch_in_background(model.name.clone(), version.name.clone()),
                    _ => {}
                }
            }
        }
    }

    async fn promote_followed(&self, model: &ModelName, version: &Version) {
        if let Some(by) = followed(version)
            && let Err(cause) = self.promote(&by, model, &version.name, None).await
        {
            tracing::error!("{} was not promoted: {cause}", version.title(model));
        }
    }
}

/// Who promotes a version once it is ready, where it was asked for so: whoever brought it.
pub(crate) fn followed(version: &Version) -> Option<By> {
    match version.origin {
        Origin::Mlflow { promote: true, .. } => Some(By {
            who: version.added_by.clone(),
            why: "it was to answer as soon as it is ready".to_owned(),
        }),
        _ => None,
    }
}

/// Whether a version was to answer once ready, and an earlier process ended before it did: nothing was decided since.
fn never_promoted(model: &Model, version: &Version) -> bool {
    let decided = model
        .history
        .last()
        .is_some_and(|change| change.seq > version.added_seq);
    !decided && model.proposal.is_none() && followed(version).is_some()
}
