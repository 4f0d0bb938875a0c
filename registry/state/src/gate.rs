//! What a version must bring before it may answer.

use crate::model::Proposal;
use crate::name::{SetName, VersionName};
use crate::version::Version;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Conditions of a promotion; none unless set.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Gate {
    /// The version must bring a `CARD.md`.
    pub card: bool,
    /// Somebody else than who promotes must have proposed it.
    pub second_person: bool,
    /// A measure on a frozen set must be high enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<MetricRule>,
}

/// `metric` on `set` must be at least `at_least`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricRule {
    /// The set.
    pub set: SetName,
    /// Which files the set must have had, as an evaluation gives it in `set_digest`. Without it the set is only a name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub set_digest: Option<String>,
    /// Name of the measure, such as `macro_f1`.
    pub metric: String,
    /// Between 0 and 1.
    pub at_least: f64,
}

impl Gate {
    /// What stands against promoting this version, each with what to do; empty when it may be promoted.
    #[must_use]
    pub fn findings(&self, version: &Version, proposal: Option<&Proposal>, who: &str) -> Vec<String> {
        let mut findings = Vec::new();
        if self.card && version.card().is_none() {
            findings.push("it has no model card; upload it again with a CARD.md".to_owned());
        }
        if let Some(rule) = &self.metric {
            findings.extend(rule.finding(version));
        }
        if self.second_person && !seconded(proposal, &version.name, who) {
            findings.push(format!(
                "a second person is required; `{who}` has proposed it, somebody else must promote it too"
            ));
        }
        findings
    }
}

fn seconded(proposal: Option<&Proposal>, version: &VersionName, who: &str) -> bool {
    proposal.is_some_and(|proposal| proposal.version == *version && proposal.by != who)
}

impl MetricRule {
    fn finding(&self, version: &Version) -> Option<String> {
        let (set, metric) = (&self.set, &self.metric);
        let Some(evaluation) = version.evaluations.get(set.as_str()) else {
            return Some(format!(
                "it was not evaluated on the set `{set}`; evaluate it there first"
            ));
        };
        if let Some(wanted) = self
            .set_digest
            .as_ref()
            .filter(|wanted| **wanted != evaluation.set_digest)
        {
            return Some(format!(
                "it was evaluated on a set `{set}` with other files ({}), {wanted} is required",
                evaluation.set_digest
            ));
        }
        if !evaluation.leaks.is_empty() {
            return Some(format!(
                "the set `{set}` holds records that it was trained on: {}; evaluate it on others",
                evaluation.leaks.join(", ")
            ));
        }
        match evaluation.metrics.get(metric) {
            None => Some(format!("its evaluation on the set `{set}` has no measure `{metric}`")),
            Some(value) if *value >= self.at_least => None,
            Some(value) => Some(format!(
                "`{metric}` on the set `{set}` is {value:.4}, at least {} is required",
                self.at_least
            )),
        }
    }
}
