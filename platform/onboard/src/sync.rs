//! Following sources: whenever an alias moves or a version appears, it is pulled; by time, and when a webhook says so.

use crate::error::OnboardError;
use crate::onboarding::{By, Onboarding};
use crate::pull::Pull;
use einthoven_registry_mlflow::Client;
use einthoven_registry_state::{FollowRule, ModelName, Origin, Source, SourceName};
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

impl Onboarding {
    /// Looks at every source as often as it says. Ends with the registry.
    pub async fn sync(self) {
        let mut changed = self.registry().changed();
        let mut next: HashMap<SourceName, (u64, Instant)> = HashMap::new();
        loop {
            let state = self.registry().state();
            next.retain(|name, _| state.sources.contains_key(name));
            let nudged = std::mem::take(&mut *self.sources.due.lock().unwrap_or_else(PoisonError::into_inner));
            let now = Instant::now();
            for source in state.sources.values() {
                let fresh = next
                    .get(&source.name)
                    .is_none_or(|(revision, _)| *revision != source.revision);
                let due = next.get(&source.name).is_some_and(|(_, at)| *at <= now);
                let polled = source.poll_s.is_some() && (fresh || due);
                let told = nudged.contains(&source.name);
                if polled || told {
                    let (this, source) = (self.clone(), Arc::clone(source));
                    tokio::spawn(async move { this.look_in_turn(&source, told).await });
                }
                if polled || fresh {
                    let pause = Duration::from_secs(source.poll_s.map_or(3600, |seconds| u64::from(seconds.max(1))));
                    next.insert(source.name.clone(), (source.revision, now + pause));
                }
            }
            let soonest = next.values().map(|(_, at)| *at).min();
            let soonest = soonest.unwrap_or_else(|| now + Duration::from_secs(3600));
            tokio::select! {
                told = changed.changed() => if told.is_err() { return },
                () = self.sources.nudged.notified() => {}
                () = tokio::time::sleep_until(soonest) => {}
            }
        }
    }

    /// Looks at a source, one look at a time: an older answer must not win over a newer one, and a server that hangs is not
    /// asked again meanwhile. A look that was asked for waits its turn, one for all that ask; one that is due by time does not.
    async fn look_in_turn(&self, source: &Source, told: bool) {
        let turn = self.sources.turn(&source.name);
        let _held = if told {
            if turn.waiting.swap(true, Ordering::SeqCst) {
                return;
            }
            let held = turn.looking.lock().await;
            turn.waiting.store(false, Ordering::SeqCst);
            held
        } else {
            match turn.looking.try_lock() {
                Ok(held) => held,
                Err(_) => return,
            }
        };
        self.look(source).await;
    }

    /// A rule that cannot be followed, such as one whose alias is not set yet, holds up none of the others.
    async fn look(&self, source: &Source) {
        let mut errors = Vec::new();
        match self.client(source) {
            Err(cause) => errors.push(cause.to_string()),
            Ok(client) => {
                for rule in &source.follow {
                    match self.follow(source, &client, rule).await {
                        Ok(()) => {}
                        Err(cause) => {
                            let text = cause.to_string();
                            let silent = matches!(&cause, OnboardError::Mlflow(cause) if cause.is_passing());
                            if !errors.contains(&text) {
                                errors.push(text);
                            }
                            // The others would only wait for the same silence.
                            if silent {
                                break;
                            }
                        }
                    }
                }
            }
        }
        let error = (!errors.is_empty()).then(|| errors.join("; "));
        let mut is_new = false;
        self.note(&source.name, |status| {
            is_new = status.error != error;
            status.error.clone_from(&error);
        });
        // Said once, not at every look.
        match error {
            Some(error) if is_new => tracing::warn!("source {}: {error}", source.name),
            None if is_new => {
                tracing::info!("source {} answers again", source.name);
                self.sources.answers_again.notify_waiters();
            }
            _ => {}
        }
    }

    async fn follow(&self, source: &Source, client: &Client, rule: &FollowRule) -> Result<(), OnboardError> {
        let Some(alias) = &rule.alias else {
            for version in client.versions(&rule.model).await? {
                if version.is_ready() {
                    self.pull_once(source, rule, version.version).await?;
                }
            }
            return Ok(());
        };
        let version = client.version_by_alias(&rule.model, alias.as_str()).await?.version;
        let place = format!("{}@{alias}", rule.model);
        let before = self.source_status(&source.name).seen.get(&place).copied();
        if let Some(before) = before.filter(|before| *before != version) {
            self.sources.left(&source.name, &rule.model, before);
        }
        self.sources.wanted(&source.name, &rule.model, version);
        self.pull_once(source, rule, version).await?;
        // One that is here already answers again only when the alias moved to it: rolling back here must hold.
        if rule.promote && before.is_some_and(|before| before != version) {
            self.promote_again(source, rule, version).await?;
        }
        // Seen only now: what failed is tried again at the next look.
        self.note(&source.name, |status| {
            status.seen.insert(place, version);
        });
        Ok(())
    }

    /// Pulls a version unless it is here, in whatever state.
    async fn pull_once(&self, source: &Source, rule: &FollowRule, number: u64) -> Result<(), OnboardError> {
        if self.found(source, rule, number).is_some() || self.was_deleted(source, rule, number) {
            return Ok(());
        }
        let by = By {
            who: source.name.to_string(),
            why: "its source is followed".to_owned(),
        };
        let pull = Pull {
            source: source.name.clone(),
            reference: format!("models:/{}/{number}", rule.model),
            into: rule.into.clone(),
            stated: rule.manifest.clone(),
            promote: rule.promote,
        };
        self.pull(&by, pull).await.map(drop)
    }

    async fn promote_again(&self, source: &Source, rule: &FollowRule, number: u64) -> Result<(), OnboardError> {
        let Some((model, version)) = self.found(source, rule, number) else {
            return Ok(());
        };
        let state = self.registry().state();
        let model_now = state.model(&model)?;
        if !model_now.version(&version)?.is_ready() || model_now.traffic.names(&version) {
            return Ok(());
        }
        let by = By {
            who: source.name.to_string(),
            why: "the alias that is followed moved to it".to_owned(),
        };
        self.promote(&by, &model, &version, None).await.map(drop)
    }

    /// The version here that is that one there.
    fn found(
        &self,
        source: &Source,
        rule: &FollowRule,
        number: u64,
    ) -> Option<(ModelName, einthoven_registry_state::VersionName)> {
        let model = rule.into.clone().or_else(|| rule.model.parse().ok())?;
        let state = self.registry().state();
        let wanted = origin(source, rule, number);
        let versions = &state.models.get(&model)?.versions;
        let found = versions
            .values()
            .rev()
            .find(|version| version.origin.is_same_in_mlflow(&wanted))?;
        Some((model, found.name.clone()))
    }

    /// Whether somebody deleted it here: following does not bring it back, pulling it by hand does.
    fn was_deleted(&self, source: &Source, rule: &FollowRule, number: u64) -> bool {
        let Some(model) = rule.into.clone().or_else(|| rule.model.parse().ok()) else {
            return false;
        };
        let state = self.registry().state();
        let place = origin(source, rule, number).place_in_mlflow();
        let deleted = state.models.get(&model).map(|model| &model.deleted);
        place.is_some_and(|place| deleted.is_some_and(|deleted| deleted.contains(&place)))
    }
}

fn origin(source: &Source, rule: &FollowRule, number: u64) -> Origin {
    Origin::Mlflow {
        source: source.name.clone(),
        model: rule.model.clone(),
        version: number.to_string(),
        run_id: None,
        manifest: serde_json::Map::new(),
        promote: false,
    }
}
