//! A model: its versions, what answers, what answered before.

use crate::event::TrafficAction;
use crate::experiment::Experiment;
use crate::gate::Gate;
use crate::name::{AliasName, ExperimentName, ModelName, VersionName};
use crate::reference::Selector;
use crate::refusal::Refusal;
use crate::traffic::Traffic;
use crate::version::Version;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A name that clients use, and everything behind it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Model {
    /// The name.
    pub name: ModelName,
    /// For people.
    pub description: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// The newest entry of the log that changed it: its ETag.
    pub revision: u64,
    /// By name.
    #[serde(with = "crate::shared")]
    #[schemars(with = "BTreeMap<String, Version>")]
    pub versions: BTreeMap<VersionName, Arc<Version>>,
    /// Movable names.
    #[schemars(with = "BTreeMap<String, VersionName>")]
    pub aliases: BTreeMap<AliasName, VersionName>,
    /// What answers now.
    pub traffic: Traffic,
    /// What answered before, oldest first; rolling back takes the last.
    pub past: Vec<Traffic>,
    /// Every change of traffic, oldest first.
    pub history: Vec<TrafficChange>,
    /// Every comparison of its versions.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    #[schemars(with = "BTreeMap<String, Experiment>")]
    pub experiments: BTreeMap<ExperimentName, Experiment>,
    /// Versions of MLflow's that were here and were deleted, as `SOURCE MODEL/VERSION`: following brings none of them back.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub deleted: BTreeSet<String>,
    /// What a promotion needs.
    pub gate: Gate,
    /// A promotion that waits for a second person.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proposal: Option<Proposal>,
}

/// One change of traffic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrafficChange {
    /// Entry of the log.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub who: String,
    /// For what reason.
    pub why: String,
    /// By which call.
    pub action: TrafficAction,
    /// Before.
    pub from: Traffic,
    /// After.
    pub to: Traffic,
}

/// That somebody wants a version promoted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Proposal {
    /// The version.
    pub version: VersionName,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Model {
    /// The version a caller means.
    ///
    /// # Errors
    /// [`Refusal`] where there is none.
    pub fn resolve(&self, selector: &Selector) -> Result<&Arc<Version>, Refusal> {
        let name = match selector {
            Selector::Version(version) => version,
            Selector::Alias(alias) => self.aliases.get(alias).ok_or_else(|| Refusal::NoSuchAlias {
                model: self.name.clone(),
                alias: alias.clone(),
            })?,
            Selector::Traffic => self.traffic.champion.as_ref().ok_or_else(|| Refusal::NothingServes {
                model: self.name.clone(),
            })?,
        };
        self.version(name)
    }

    /// The version of that name.
    ///
    /// # Errors
    /// [`Refusal::NoSuchVersion`].
    pub fn version(&self, name: &VersionName) -> Result<&Arc<Version>, Refusal> {
        self.versions.get(name).ok_or_else(|| Refusal::NoSuchVersion {
            model: self.name.clone(),
            version: name.clone(),
        })
    }

    /// Its versions, oldest first.
    #[must_use]
    pub fn by_age(&self) -> Vec<&Arc<Version>> {
        let mut versions: Vec<_> = self.versions.values().collect();
        versions.sort_by_key(|version| version.added_seq);
        versions
    }

    /// What points at a version, in words; nothing where it could go.
    #[must_use]
    pub fn pointing_at(&self, version: &VersionName) -> Vec<String> {
        let aliases = self.aliases.iter().filter(|(_, to)| *to == version);
        let mut pointing: Vec<_> = aliases.map(|(alias, _)| format!("alias `{alias}`")).collect();
        if self.traffic.names(version) {
            pointing.insert(0, "the traffic".to_owned());
        }
        pointing
    }

    /// What a rollback brings back: of an experiment that is over, the champion alone.
    #[must_use]
    pub fn previous(&self) -> Option<Traffic> {
        let mut past = self.past.iter().rev().map(|past| self.without_what_is_over(past));
        past.find(|past| *past != self.traffic)
    }

    /// A name for a version that brings none: one more than the highest number there is.
    #[must_use]
    pub fn next_number(&self) -> u64 {
        let numbers = self
            .versions
            .keys()
            .filter_map(|name| name.as_str().parse::<u64>().ok());
        numbers.max().unwrap_or(0).saturating_add(1)
    }
}
