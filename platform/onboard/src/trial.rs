//! Trying a version until there is a verdict, and writing it down for the version that was tried and no other.

use crate::error::OnboardError;
use crate::onboarding::{Added, By, Onboarding};
use crate::verify::Verdict;
use einthoven_classify::Cancel;
use einthoven_registry::ChangeError;
use einthoven_registry_state::{Change, ModelName, Phase, Refusal, Version, VersionName};
use std::time::Duration;

/// Longest pause until something of ours that failed is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

impl Onboarding {
    /// Tries a version in the background; then promotes it, where `promote` says so.
    pub(crate) fn try_in_background(&self, model: ModelName, version: VersionName, promote: Option<By>) {
        let this = self.clone();
        tokio::spawn(async move {
            if let Err(cause) = this.tried(&model, &version, promote).await {
                tracing::error!("the trial of {model}/{version} broke off: {cause}");
            }
        });
    }

    async fn tried(&self, model: &ModelName, version: &VersionName, promote: Option<By>) -> Result<(), OnboardError> {
        let _turn = self
            .trials
            .acquire()
            .await
            .map_err(|cause| OnboardError::Broken(cause.to_string()))?;
        let state = self.registry().state();
        // Deleted while it waited.
        let Ok(found) = state.model(model).and_then(|model| model.version(version)) else {
            return Ok(());
        };
        let origin = found.origin.clone();
        let by = By::system("it was tried on every engine");
        let (model, version) = (model.clone(), version.clone());
        let Some(verdict) = self.verdict(&model, found).await else {
            return Ok(());
        };
        let change = match verdict {
            Verdict::Ready(verified) => Change::Verified {
                model: model.clone(),
                version: version.clone(),
                verified,
            },
            Verdict::Rejected(rejection) => Change::Reject {
                model: model.clone(),
                version: version.clone(),
                rejection,
            },
        };
        let ready = matches!(change, Change::Verified { .. });
        if !self.pronounce(&by, change, &model, found).await? {
            return Ok(());
        }
        // An alias that has moved on meanwhile wants another one.
        if let Some(by) = promote.filter(|_| ready && !self.sources.has_left(&origin)) {
            self.promote(&by, &model, &version, None).await?;
        }
        Ok(())
    }

    /// A verdict, however often our own storage fails before there is one; none when the version is deleted meanwhile.
    async fn verdict(&self, model: &ModelName, version: &Version) -> Option<Verdict> {
        let mut pause = Duration::from_secs(1);
        let cancel = Cancel::default();
        loop {
            tokio::select! {
                judged = self.judge(model, version, &cancel) => match judged {
                    Ok(verdict) => return Some(verdict),
                    Err(cause) => tracing::error!("{} is tried again: {cause}", version.title(model)),
                },
                () = self.gone(model, version) => {
                    // An engine that takes its time over it would hold up the next one's trial.
                    cancel.cancel();
                    return None;
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Waits until a version is deleted.
    pub(crate) async fn gone(&self, model: &ModelName, version: &Version) {
        let mut changed = self.registry().changed();
        while self.is_there(model, version) && changed.changed().await.is_ok() {}
    }

    /// Whether that very version is there, and no other of its name.
    fn is_there(&self, model: &ModelName, version: &Version) -> bool {
        let state = self.registry().state();
        let there = state.model(model).and_then(|model| model.version(&version.name));
        there.is_ok_and(|there| there.added_seq == version.added_seq)
    }

    /// Writes a verdict down, unless what was judged is gone: another version may have its name by now. Says whether it was.
    pub(crate) async fn pronounce(
        &self,
        by: &By,
        verdict: Change,
        model: &ModelName,
        judged: &Version,
    ) -> Result<bool, OnboardError> {
        let mut pause = Duration::from_secs(1);
        loop {
            let state = self.registry().state();
            let Ok(found) = state.model(model) else {
                return Ok(false);
            };
            if !self.is_there(model, judged) {
                return Ok(false);
            }
            match self.change(by, verdict.clone(), Some(found.revision)).await {
                Err(ChangeError::Refused(Refusal::ChangedMeanwhile { .. })) => {}
                // The log is away for a while; the verdict stands.
                Err(cause @ (ChangeError::Log(_) | ChangeError::Unknown(_))) => {
                    tracing::error!("the verdict on {} waits: {cause}", judged.title(model));
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                done => return done.map(|_| true).map_err(Into::into),
            }
        }
    }

    /// Waits until a version is neither being fetched nor tried, for as long as that; gives how far it is then.
    ///
    /// # Errors
    /// When it is deleted meanwhile.
    pub async fn settled(&self, added: &Added, longest: Duration) -> Result<Phase, OnboardError> {
        let mut changed = self.registry().changed();
        let end = tokio::time::Instant::now() + longest;
        loop {
            let state = self.registry().state();
            let phase = state.model(&added.model)?.version(&added.version)?.phase.clone();
            if !matches!(phase, Phase::Fetching | Phase::Verifying) {
                return Ok(phase);
            }
            match tokio::time::timeout_at(end, changed.changed()).await {
                Ok(Ok(())) => {}
                _ => return Ok(phase),
            }
        }
    }
}
