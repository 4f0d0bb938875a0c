//! Comparisons of versions: what was compared with what, by which rules, and how it ended.

mod decide;

pub use decide::Wanted;

use crate::event::{Event, Record, TrafficAction};
use crate::model::{Model, TrafficChange};
use crate::name::{ExperimentName, VersionName};
use crate::traffic::{Challenger, Percent, Traffic};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A comparison of versions of one model. It runs while the model's traffic deals subjects out by its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Experiment {
    /// Its name; no other experiment of this registry has it, also later.
    pub name: ExperimentName,
    /// The version that answered when it began, or, of one that ended, when it ended.
    pub champion: VersionName,
    /// The challengers with a share now, or, of one that ended, when it ended.
    pub splits: Vec<Challenger>,
    /// Those that compute beside the champion, likewise.
    pub shadows: Vec<Challenger>,
    /// How it is judged and when a challenger is withdrawn, by the schema of who judges.
    pub rules: serde_json::Value,
    /// When it began.
    pub started_at: Timestamp,
    /// Who began it.
    pub started_by: String,
    /// The reason they gave.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Entry of the log that began it.
    pub seq: u64,
    /// What later recordings of each version are compared with, by version.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, FrozenReference>")]
    pub references: BTreeMap<VersionName, FrozenReference>,
    /// Challengers that were withdrawn, in order; one may come back later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdrawn: Vec<Withdrawn>,
    /// How it ended; none while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// What a version's recordings were like at one time: a file of the registry's, which later ones are compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FrozenReference {
    /// The file's SHA-256, `sha256:<hex>`.
    pub sha256: String,
    /// Recordings that it is of.
    pub recordings: u32,
    /// When the first of them was answered.
    pub from: Timestamp,
    /// When the last of them was answered: what came later is compared with them.
    pub until: Timestamp,
    /// When it was frozen.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// A challenger that was withdrawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Withdrawn {
    /// The challenger as it was, with its share.
    pub challenger: Challenger,
    /// It computed beside the champion.
    pub shadow: bool,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// The reason in words.
    pub why: String,
    /// What was seen and what was allowed, by the schema of who judges.
    pub broken: serde_json::Value,
    /// It does not come back before.
    pub until: Timestamp,
}

/// How an experiment ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// The reason given.
    pub why: String,
    /// Its last challenger was withdrawn.
    pub withdrawn: bool,
}

impl Model {
    /// The names that answers stand under: of its experiments, and what subjects were dealt out by; without a name that is the
    /// model's.
    pub(crate) fn dealt_by(&self) -> impl Iterator<Item = ExperimentName> {
        let dealt = self.history.iter().map(|change| &change.to).filter_map(|to| {
            let alone = to.splits.is_empty() && to.shadows.is_empty();
            let own = || self.name.as_str().parse().ok().filter(|_| !alone);
            to.experiment.clone().or_else(own)
        });
        self.experiments.keys().cloned().chain(dealt)
    }

    /// The experiment that runs.
    #[must_use]
    pub fn running(&self) -> Option<&Experiment> {
        let experiment = self.experiments.get(self.traffic.experiment.as_ref()?)?;
        experiment.ended.is_none().then_some(experiment)
    }

    /// A traffic as it may still be: of an experiment that is over, the champion alone is left.
    pub(crate) fn without_what_is_over(&self, traffic: &Traffic) -> Traffic {
        let named = traffic.experiment.as_ref().and_then(|name| self.experiments.get(name));
        match named {
            Some(over) if over.ended.is_some() => Traffic {
                champion: traffic.champion.clone(),
                ..Traffic::default()
            },
            _ => traffic.clone(),
        }
    }

    /// The change of traffic since which a version takes part in the experiment that runs, as it does now: what it did before is
    /// no evidence about it. None where it takes no part.
    #[must_use]
    pub fn takes_part_since(&self, version: &VersionName) -> Option<&TrafficChange> {
        let running = &self.running()?.name;
        let now = place(&self.traffic, version)?;
        let same = |change: &&TrafficChange| {
            change.to.experiment.as_ref() == Some(running) && place(&change.to, version) == Some(now)
        };
        self.history.iter().rev().take_while(same).last()
    }

    /// Until when a version that was withdrawn may be no challenger, whichever experiment it was; none where it may.
    #[must_use]
    pub fn cooling(&self, version: &VersionName, now: Timestamp) -> Option<Timestamp> {
        let withdrawn = self.experiments.values().flat_map(|experiment| &experiment.withdrawn);
        let until = withdrawn.filter(|withdrawn| withdrawn.challenger.version == *version);
        until
            .map(|withdrawn| withdrawn.until)
            .max()
            .filter(|until| *until > now)
    }

    /// What an entry about the traffic or an experiment makes of the experiments; the traffic is the new one already.
    pub(crate) fn compare(&mut self, seq: u64, record: &Record) {
        match &record.event {
            Event::ExperimentStarted {
                experiment,
                champion,
                splits,
                shadows,
                rules,
                ..
            } => {
                let started = Experiment {
                    name: experiment.clone(),
                    champion: champion.clone(),
                    splits: splits.clone(),
                    shadows: shadows.clone(),
                    rules: rules.clone(),
                    started_at: record.at,
                    started_by: record.who.clone(),
                    why: record.why.clone(),
                    seq,
                    references: BTreeMap::new(),
                    withdrawn: Vec::new(),
                    ended: None,
                };
                self.experiments.insert(experiment.clone(), started);
            }
            Event::ExperimentRuled { experiment, to, .. } => {
                if let Some(experiment) = self.experiments.get_mut(experiment) {
                    experiment.rules.clone_from(to);
                }
            }
            Event::ChallengerWithdrawn {
                experiment,
                version,
                broken,
                until,
                ..
            } => {
                if let Some(experiment) = self.experiments.get_mut(experiment) {
                    let of = |all: &[Challenger]| all.iter().find(|one| one.version == *version).cloned();
                    let shadow = of(&experiment.shadows);
                    let is_shadow = shadow.is_some();
                    if let Some(challenger) = shadow.or_else(|| of(&experiment.splits)) {
                        experiment.withdrawn.push(Withdrawn {
                            challenger,
                            shadow: is_shadow,
                            at: record.at,
                            by: record.who.clone(),
                            why: record.why.clone(),
                            broken: broken.clone(),
                            until: *until,
                        });
                    }
                }
            }
            Event::ReferenceFrozen {
                experiment,
                version,
                reference,
                ..
            } => {
                if let Some(experiment) = self.experiments.get_mut(experiment) {
                    experiment.references.insert(version.clone(), reference.clone());
                }
            }
            Event::TrafficChanged { action, from, to, .. } => {
                let named = from.experiment.as_ref().or(to.experiment.as_ref());
                let running = named
                    .and_then(|name| self.experiments.get_mut(name))
                    .filter(|experiment| experiment.ended.is_none());
                if let Some(experiment) = running {
                    experiment.follow(to, *action, record);
                }
            }
            _ => {}
        }
    }
}

impl Experiment {
    /// It goes on for as long as the traffic names it and somebody is compared.
    fn follow(&mut self, to: &Traffic, action: TrafficAction, record: &Record) {
        let goes_on = to.experiment.as_ref() == Some(&self.name) && !(to.splits.is_empty() && to.shadows.is_empty());
        if goes_on {
            self.splits.clone_from(&to.splits);
            self.shadows.clone_from(&to.shadows);
            if let Some(champion) = &to.champion {
                self.champion.clone_from(champion);
            }
            return;
        }
        let withdrawn = action == TrafficAction::Withdrawn;
        if withdrawn {
            // They stand among the withdrawn.
            self.splits.clear();
            self.shadows.clear();
        }
        self.ended = Some(Ended {
            at: record.at,
            by: record.who.clone(),
            why: record.why.clone(),
            withdrawn,
        });
    }
}

/// What a version does in a traffic: it answers, or whom it answers, or beside whom it computes.
fn place(traffic: &Traffic, version: &VersionName) -> Option<(&'static str, Option<Percent>)> {
    let share = |all: &[Challenger]| all.iter().find(|one| one.version == *version).map(|one| one.percent);
    if traffic.champion.as_ref() == Some(version) {
        return Some(("champion", None));
    }
    let split = share(&traffic.splits).map(|percent| ("split", Some(percent)));
    split.or_else(|| share(&traffic.shadows).map(|percent| ("shadow", Some(percent))))
}
