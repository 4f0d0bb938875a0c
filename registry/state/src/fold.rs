//! How events change the state.

use crate::event::{Event, Record, TrafficAction};
use crate::gate::Gate;
use crate::model::{Model, Proposal, TrafficChange};
use crate::name::{ModelName, VersionName};
use crate::source::Source;
use crate::state::State;
use crate::traffic::Traffic;
use crate::version::{Phase, Version};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl State {
    /// Folds an entry in. What an entry speaks of and is not there is left alone: entries were decided against the state
    /// that stood before them, so that happens only to a log that was put together by hand.
    pub fn apply(&mut self, seq: u64, record: &Record) {
        self.seq = seq;
        match &record.event {
            Event::ModelCreated { model, description } => {
                let made = created(model, description, seq, record);
                self.models.insert(model.clone(), Arc::new(made));
            }
            Event::ModelDeleted { model } => {
                if let Some(gone) = self.models.remove(model) {
                    Arc::make_mut(&mut self.past_experiments).extend(gone.dealt_by());
                }
            }
            Event::SourceSet {
                source,
                settings,
                follow,
                poll_s,
                webhook_secret_file,
            } => {
                let set = Source {
                    name: source.clone(),
                    settings: settings.clone(),
                    follow: follow.clone(),
                    poll_s: *poll_s,
                    webhook_secret_file: webhook_secret_file.clone(),
                    changed_at: record.at,
                    revision: seq,
                };
                self.sources.insert(source.clone(), Arc::new(set));
            }
            Event::SourceRemoved { source } => {
                self.sources.remove(source);
            }
            Event::Access(event) => Arc::make_mut(&mut self.access).apply(seq, record.at, &record.who, event),
            event => {
                if let Some(model) = event.model().and_then(|name| self.models.get_mut(name)) {
                    let model = Arc::make_mut(model);
                    model.revision = seq;
                    model.apply(seq, record);
                }
            }
        }
    }
}

fn created(name: &ModelName, description: &str, seq: u64, record: &Record) -> Model {
    Model {
        name: name.clone(),
        description: description.to_owned(),
        created_at: record.at,
        revision: seq,
        versions: BTreeMap::new(),
        aliases: BTreeMap::new(),
        traffic: Traffic::default(),
        past: Vec::new(),
        deleted: BTreeSet::new(),
        history: Vec::new(),
        experiments: BTreeMap::new(),
        gate: Gate::default(),
        proposal: None,
    }
}

impl Model {
    fn apply(&mut self, seq: u64, record: &Record) {
        match &record.event {
            Event::ModelDescribed { to, .. } => self.description.clone_from(to),
            Event::GateSet { to, .. } => self.gate.clone_from(to),
            Event::VersionAdded { version, origin, .. } => {
                let added = Version {
                    name: version.clone(),
                    origin: origin.clone(),
                    phase: Phase::Fetching,
                    added_at: record.at,
                    added_by: record.who.clone(),
                    added_seq: seq,
                    digest: None,
                    files: Vec::new(),
                    evaluations: BTreeMap::new(),
                };
                self.versions.insert(version.clone(), Arc::new(added));
            }
            Event::VersionFetched {
                version, digest, files, ..
            } => self.change(version, |version| {
                version.digest = Some(digest.clone());
                version.files.clone_from(files);
                version.phase = Phase::Verifying;
            }),
            Event::VersionReady { version, verified, .. } => {
                self.change(version, |version| version.phase = Phase::Ready(verified.clone()));
            }
            Event::VersionRejected { version, rejection, .. } => {
                self.change(version, |version| version.phase = Phase::Rejected(rejection.clone()));
            }
            Event::VersionEvaluated {
                version,
                set,
                evaluation,
                ..
            } => self.change(version, |version| {
                version.evaluations.insert(set.to_string(), evaluation.clone());
            }),
            Event::VersionRetired { version, .. } => {
                self.change(version, |version| version.phase = Phase::Retired);
                self.forget(version);
            }
            Event::VersionDeleted { version, .. } => {
                let gone = self.versions.remove(version);
                self.deleted.extend(gone.and_then(|gone| gone.origin.place_in_mlflow()));
                self.forget(version);
            }
            Event::AliasMoved {
                alias, to: Some(to), ..
            } => {
                self.aliases.insert(alias.clone(), to.clone());
            }
            Event::AliasMoved { alias, to: None, .. } => {
                self.aliases.remove(alias);
            }
            Event::PromotionProposed { version, .. } => {
                self.proposal = Some(Proposal {
                    version: version.clone(),
                    by: record.who.clone(),
                    at: record.at,
                });
            }
            Event::TrafficChanged { action, from, to, .. } => {
                match action {
                    TrafficAction::RolledBack => {
                        while let Some(past) = self.past.pop() {
                            if self.without_what_is_over(&past) == *to {
                                break;
                            }
                        }
                    }
                    // What was withdrawn is nothing to go back to.
                    TrafficAction::Withdrawn => {
                        let of_it = |past: &Traffic| past.experiment.is_some() && past.experiment == from.experiment;
                        self.past.retain(|past| !of_it(past));
                    }
                    TrafficAction::Stopped => {}
                    _ if *from != Traffic::default() => self.past.push(from.clone()),
                    _ => {}
                }
                // A log of an earlier release may bring one back that was over.
                self.traffic = self.without_what_is_over(to);
                self.compare(seq, record);
                self.past = self.past.iter().map(|past| self.without_what_is_over(past)).collect();
                self.tidy_past();
                self.proposal = None;
                self.history.push(TrafficChange {
                    seq,
                    at: record.at,
                    who: record.who.clone(),
                    why: record.why.clone(),
                    action: *action,
                    from: from.clone(),
                    to: to.clone(),
                });
            }
            Event::ExperimentStarted { .. }
            | Event::ExperimentRuled { .. }
            | Event::ChallengerWithdrawn { .. }
            | Event::ReferenceFrozen { .. } => {
                self.compare(seq, record);
            }
            Event::ModelCreated { .. }
            | Event::ModelDeleted { .. }
            | Event::DriftFound { .. }
            | Event::SourceSet { .. }
            | Event::SourceRemoved { .. }
            | Event::Access(_) => {}
        }
    }

    fn change(&mut self, version: &VersionName, change: impl FnOnce(&mut Version)) {
        if let Some(version) = self.versions.get_mut(version) {
            change(Arc::make_mut(version));
        }
    }

    /// A version that cannot serve any more is nothing to roll back to, and nothing to promote.
    fn forget(&mut self, version: &VersionName) {
        self.past.retain(|traffic| !traffic.names(version));
        self.tidy_past();
        if self
            .proposal
            .as_ref()
            .is_some_and(|proposal| proposal.version == *version)
        {
            self.proposal = None;
        }
    }

    /// What was before may repeat itself, or be what answers now; going back must change something.
    fn tidy_past(&mut self) {
        self.past.dedup();
        while self.past.last() == Some(&self.traffic) {
            self.past.pop();
        }
    }
}
