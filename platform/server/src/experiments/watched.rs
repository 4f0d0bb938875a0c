//! Who is looked at, and since when it takes part as it does.

use super::Rules;
use super::meters::ArmOf;
use einthoven_registry_state::{ExperimentName, Model, ModelName, State, VersionName};
use jiff::Timestamp;

/// A challenger that is looked at.
#[derive(Clone)]
pub(super) struct Watched {
    pub(super) model: ModelName,
    pub(super) experiment: ExperimentName,
    pub(super) champion: VersionName,
    pub(super) challenger: VersionName,
    /// It computes beside the champion.
    pub(super) shadow: bool,
    /// Entries of the log since which the champion and the challenger take part as they do.
    pub(super) since: [u64; 2],
    /// What either answered before is no evidence.
    pub(super) from: Timestamp,
    /// The model's revision that all of this was read at.
    pub(super) revision: u64,
    pub(super) rules: Rules,
}

/// Every challenger of every experiment that runs.
pub(super) fn watched(state: &State) -> Vec<Watched> {
    state.models.values().flat_map(|model| of_model(model)).collect()
}

fn of_model(model: &Model) -> Vec<Watched> {
    let Some(experiment) = model.running() else {
        return Vec::new();
    };
    let splits = experiment.splits.iter().map(|split| (split, false));
    let challengers = splits.chain(experiment.shadows.iter().map(|shadow| (shadow, true)));
    let watched = challengers.filter_map(|(challenger, shadow)| {
        let begun = [&experiment.champion, &challenger.version].map(|version| model.takes_part_since(version));
        let [Some(one), Some(two)] = begun else { return None };
        Some(Watched {
            model: model.name.clone(),
            experiment: experiment.name.clone(),
            champion: experiment.champion.clone(),
            challenger: challenger.version.clone(),
            shadow,
            since: [one.seq, two.seq],
            from: one.at.max(two.at),
            revision: model.revision,
            rules: Rules::of(&experiment.rules),
        })
    });
    watched.collect()
}

impl Watched {
    /// When the challenger began, as it takes part now.
    pub(super) fn begun(&self) -> u64 {
        self.since[1]
    }

    pub(super) fn arms(&self) -> [ArmOf; 2] {
        let arm = |version: &VersionName, since: u64| ArmOf {
            model: self.model.to_string(),
            experiment: self.experiment.to_string(),
            version: version.to_string(),
            since,
        };
        [arm(&self.champion, self.since[0]), arm(&self.challenger, self.since[1])]
    }

    /// By experiment and challenger.
    pub(super) fn key(&self) -> (String, String) {
        (self.experiment.to_string(), self.challenger.to_string())
    }

    /// The same challenger as it stands now, if what was seen of it is still evidence: both arms take part as they did, and it is
    /// judged by the same rules.
    pub(super) fn still(&self, state: &State) -> Option<Self> {
        let now = of_model(state.models.get(&self.model)?);
        now.into_iter().find(|now| {
            (&now.experiment, &now.champion, &now.challenger) == (&self.experiment, &self.champion, &self.challenger)
                && (now.since, &now.rules) == (self.since, &self.rules)
        })
    }
}
