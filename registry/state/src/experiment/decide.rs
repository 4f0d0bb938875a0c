//! What may be done about a comparison: the events of a change, or why it is refused.

use super::{Experiment, FrozenReference};
use crate::event::{Event, TrafficAction};
use crate::model::Model;
use crate::name::{ExperimentName, ModelName, VersionName};
use crate::refusal::Refusal;
use crate::state::State;
use crate::traffic::{Challenger, Traffic};
use jiff::Timestamp;

/// Whom an experiment compares; what is `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Wanted {
    /// Versions that answer a share of the subjects.
    pub splits: Option<Vec<Challenger>>,
    /// Versions that compute a share of the subjects beside the champion.
    pub shadows: Option<Vec<Challenger>>,
    /// How it is judged.
    pub rules: Option<serde_json::Value>,
}

impl State {
    /// The experiment of that name, with its model.
    ///
    /// # Errors
    /// [`Refusal::NoSuchExperiment`].
    pub fn experiment(&self, name: &ExperimentName) -> Result<(&Model, &Experiment), Refusal> {
        let found = |model: &'_ std::sync::Arc<Model>| model.experiments.contains_key(name);
        let model = self.models.values().find(|model| found(model));
        let found = model.and_then(|model| Some((model.as_ref(), model.experiments.get(name)?)));
        found.ok_or_else(|| Refusal::NoSuchExperiment {
            experiment: name.clone(),
        })
    }

    pub(crate) fn start_experiment(
        &self,
        who: &str,
        name: &ModelName,
        experiment: &ExperimentName,
        wanted: Wanted,
    ) -> Result<Vec<Event>, Refusal> {
        let model = self.model(name)?;
        let dealt = |model: &std::sync::Arc<Model>| model.dealt_by().any(|name| name == *experiment);
        if self.past_experiments.contains(experiment) || self.models.values().any(dealt) {
            return Err(Refusal::ExperimentExists {
                experiment: experiment.clone(),
            });
        }
        if let Some(running) = model.running() {
            return Err(Refusal::ExperimentRuns {
                model: name.clone(),
                experiment: running.name.clone(),
            });
        }
        let champion = model.traffic.champion.clone();
        let champion = champion.ok_or_else(|| Refusal::NothingServes { model: name.clone() })?;
        let to = Traffic {
            champion: Some(champion.clone()),
            splits: wanted.splits.unwrap_or_default(),
            shadows: wanted.shadows.unwrap_or_default(),
            experiment: Some(experiment.clone()),
        };
        somebody(&to)?;
        let (splits, shadows) = (to.splits.clone(), to.shadows.clone());
        let mut events = self.change_traffic(who, name, to, TrafficAction::Set)?;
        if events.iter().any(|event| matches!(event, Event::TrafficChanged { .. })) {
            events.insert(
                0,
                Event::ExperimentStarted {
                    model: name.clone(),
                    experiment: experiment.clone(),
                    champion,
                    splits,
                    shadows,
                    rules: wanted.rules.unwrap_or_default(),
                },
            );
        }
        Ok(events)
    }

    /// Whether somebody may put a traffic that is dealt out by the name it gives: not by that of an experiment that is over, or of
    /// another model's.
    pub(crate) fn may_deal_by(&self, name: &ModelName, traffic: &Traffic) -> Result<(), Refusal> {
        let Some(experiment) = &traffic.experiment else {
            return Ok(());
        };
        if self.past_experiments.contains(experiment) {
            return Err(Refusal::ExperimentExists {
                experiment: experiment.clone(),
            });
        }
        match self.experiment(experiment) {
            // A name that is no experiment's says how subjects are dealt out, and no more.
            Err(_) => Ok(()),
            Ok((of, _)) if of.name != *name => {
                let why = format!("`{experiment}` is an experiment of model `{}`", of.name);
                Err(Refusal::BadTraffic { why })
            }
            Ok((_, over)) if over.ended.is_some() => Err(Refusal::ExperimentEnded {
                experiment: experiment.clone(),
            }),
            Ok(_) => somebody(traffic),
        }
    }

    /// The model with that experiment on.
    fn on(&self, name: &ModelName, experiment: &ExperimentName) -> Result<(&Model, &Experiment), Refusal> {
        let model = self.model(name)?;
        match model.running().filter(|running| running.name == *experiment) {
            Some(running) => Ok((model, running)),
            None if model.experiments.contains_key(experiment) => Err(Refusal::ExperimentEnded {
                experiment: experiment.clone(),
            }),
            None => Err(Refusal::NoSuchExperiment {
                experiment: experiment.clone(),
            }),
        }
    }

    /// An experiment that runs, in which the version takes part.
    pub(crate) fn takes_part(
        &self,
        name: &ModelName,
        experiment: &ExperimentName,
        version: &VersionName,
    ) -> Result<&Experiment, Refusal> {
        let (model, running) = self.on(name, experiment)?;
        if model.traffic.names(version) {
            return Ok(running);
        }
        let why = format!("version `{version}` takes no part in experiment `{experiment}`");
        Err(Refusal::BadTraffic { why })
    }

    /// Nothing where there is one already that is not to be replaced: several servers may come to it at once.
    pub(crate) fn freeze_reference(
        &self,
        model: &ModelName,
        experiment: &ExperimentName,
        version: VersionName,
        reference: FrozenReference,
        replace: bool,
    ) -> Result<Vec<Event>, Refusal> {
        let known = self.takes_part(model, experiment, &version)?.references.get(&version);
        let same = known.is_some_and(|known| known.sha256 == reference.sha256);
        if same || (known.is_some() && !replace) {
            return Ok(Vec::new());
        }
        Ok(vec![Event::ReferenceFrozen {
            model: model.clone(),
            experiment: experiment.clone(),
            replaces: known.map(|known| known.sha256.clone()),
            version,
            reference,
        }])
    }

    pub(crate) fn change_experiment(
        &self,
        who: &str,
        name: &ModelName,
        experiment: &ExperimentName,
        wanted: Wanted,
    ) -> Result<Vec<Event>, Refusal> {
        let (model, running) = self.on(name, experiment)?;
        let from = &model.traffic;
        let to = Traffic {
            splits: wanted.splits.unwrap_or_else(|| from.splits.clone()),
            shadows: wanted.shadows.unwrap_or_else(|| from.shadows.clone()),
            ..from.clone()
        };
        somebody(&to)?;
        let mut events = self.change_traffic(who, name, to, TrafficAction::Set)?;
        if let Some(to) = wanted.rules.filter(|rules| *rules != running.rules) {
            events.push(Event::ExperimentRuled {
                model: name.clone(),
                experiment: experiment.clone(),
                from: running.rules.clone(),
                to,
            });
        }
        Ok(events)
    }

    pub(crate) fn stop_experiment(&self, name: &ModelName, experiment: &ExperimentName) -> Result<Vec<Event>, Refusal> {
        let (model, _) = self.on(name, experiment)?;
        let from = model.traffic.clone();
        let to = Traffic {
            champion: from.champion.clone(),
            ..Traffic::default()
        };
        Ok(vec![Event::TrafficChanged {
            model: name.clone(),
            action: TrafficAction::Stopped,
            from,
            to,
        }])
    }

    /// Nothing where it is withdrawn already: several servers may see the same.
    pub(crate) fn withdraw_challenger(
        &self,
        name: &ModelName,
        experiment: &ExperimentName,
        version: VersionName,
        broken: serde_json::Value,
        until: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        let (model, _) = self.on(name, experiment)?;
        let from = model.traffic.clone();
        let mut to = from.clone();
        to.splits.retain(|split| split.version != version);
        to.shadows.retain(|shadow| shadow.version != version);
        if from == to {
            return Ok(Vec::new());
        }
        if to.splits.is_empty() && to.shadows.is_empty() {
            to.experiment = None;
        }
        Ok(vec![
            Event::ChallengerWithdrawn {
                model: name.clone(),
                experiment: experiment.clone(),
                version,
                broken,
                until,
            },
            Event::TrafficChanged {
                model: name.clone(),
                action: TrafficAction::Withdrawn,
                from,
                to,
            },
        ])
    }
}

/// An experiment compares somebody.
fn somebody(traffic: &Traffic) -> Result<(), Refusal> {
    if traffic.splits.is_empty() && traffic.shadows.is_empty() {
        let why =
            "an experiment needs a challenger in `splits` or `shadows`; stop it where there is none left".to_owned();
        return Err(Refusal::BadTraffic { why });
    }
    Ok(())
}
