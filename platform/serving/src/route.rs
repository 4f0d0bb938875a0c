//! From a reference and a subject to the version that answers, and to those that compute beside it.

use crate::error::ServingError;
use crate::loaded::Loaded;
use arc_swap::ArcSwap;
use einthoven_classify::ServedModel;
use einthoven_experiments::split::{Share, Split, sampled};
use einthoven_registry_state::{Challenger, Model, ModelName, Reference, Selector, Traffic, VersionName};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

/// What a request goes to.
pub struct Routed {
    /// It answers.
    pub model: Arc<ServedModel>,
    /// They compute the same when the answer has left, and answer nobody. Only what is loaded: none waits for them.
    pub shadows: Vec<Shadow>,
    /// In which arm it answers; none where the traffic has no challengers, or the version was named.
    pub arm: Option<Arm>,
}

/// An arm of an experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arm {
    /// What subjects are dealt out by: the experiment's name, or the model's where the traffic gives none.
    pub experiment: String,
    /// [`CHAMPION`] or [`CHALLENGER`].
    pub arm: &'static str,
    /// Entry of the log since which the version that answers takes part in the experiment as it does now; 0 where no experiment
    /// runs.
    pub since: u64,
}

/// A version that computes beside who answers.
pub struct Shadow {
    /// It, loaded.
    pub model: Arc<ServedModel>,
    /// As of an [`Arm`].
    pub since: u64,
}

/// What the traffic dealt out to a subject; it names none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dealt {
    /// As of an [`Arm`].
    pub experiment: String,
    /// The version that is to answer; the champion where it is none.
    pub challenger: Option<VersionName>,
    /// Those that are to compute beside it.
    pub shadows: Vec<VersionName>,
}

/// Answers whom no challenger has.
pub const CHAMPION: &str = "champion";
/// Answers its share of the subjects.
pub const CHALLENGER: &str = "challenger";
/// Computes beside who answers, and answers nobody.
pub const SHADOW: &str = "shadow";

/// Layouts by model, with the revision each was made at.
pub(crate) type Layouts = ArcSwap<HashMap<ModelName, (u64, Arc<Layout>)>>;

/// Which subjects are whose, and since which entry of the log each version takes part as it does now.
pub(crate) struct Layout {
    split: Split,
    since: HashMap<VersionName, u64>,
}

impl Layout {
    fn of(model: &Model) -> Self {
        let since = |version: &VersionName| Some((version.clone(), model.takes_part_since(version)?.seq));
        Self {
            split: laid_out(model),
            since: model.traffic.versions().filter_map(since).collect(),
        }
    }

    fn since(&self, version: Option<&VersionName>) -> u64 {
        version
            .and_then(|version| self.since.get(version))
            .copied()
            .unwrap_or(0)
    }
}

impl Loaded {
    /// What a subject's request goes to: the version or alias that the reference names, else what the traffic deals out to the
    /// subject. Where the challenger that is dealt out is not loaded, the champion answers.
    ///
    /// # Errors
    /// As for [`Loaded::resolve`].
    pub async fn route(&self, reference: &Reference, subject: &str) -> Result<Routed, ServingError> {
        if let Some((challenger, shadows, arm)) = self.now(reference, subject) {
            let model = match challenger {
                Some(model) => model,
                None => self.resolve(reference).await?,
            };
            return Ok(Routed {
                model,
                shadows,
                arm: Some(arm),
            });
        }
        Ok(Routed {
            model: self.resolve(reference).await?,
            shadows: Vec::new(),
            arm: None,
        })
    }

    /// What is dealt out to a subject and loaded: the challenger, the shadows, and the arm that the request is in.
    fn now(&self, reference: &Reference, subject: &str) -> Option<(Option<Arc<ServedModel>>, Vec<Shadow>, Arm)> {
        if reference.selector != Selector::Traffic {
            return None;
        }
        let state = self.settings().registry.glance();
        let model = state.models.get(&reference.model)?;
        let dealt = self.dealt(model, subject)?;
        let layout = self.layout(model);
        let version = dealt.challenger.as_ref();
        let challenger = version.and_then(|version| self.get(&model.name, model.versions.get(version)?));
        let (arm, version) = match &challenger {
            Some(_) => (CHALLENGER, version),
            None => (CHAMPION, model.traffic.champion.as_ref()),
        };
        let arm = Arm {
            experiment: dealt.experiment,
            arm,
            since: layout.since(version),
        };
        Some((challenger, self.shadows(model, &layout, dealt.shadows.iter()), arm))
    }

    /// What the traffic deals out to a subject, for work that is done later; none where the champion is alone, or the reference names a
    /// version.
    #[must_use]
    pub fn deal(&self, reference: &Reference, subject: &str) -> Option<Dealt> {
        if reference.selector != Selector::Traffic {
            return None;
        }
        let state = self.settings().registry.glance();
        let model = state.models.get(&reference.model)?;
        self.dealt(model, subject)
    }

    /// Where work goes for which [`Loaded::deal`] was asked before, and whose reference names the version of then. Who takes part no more
    /// has no arm; a challenger that takes part no more answers nobody: the champion does.
    ///
    /// # Errors
    /// As for [`Loaded::resolve`].
    pub async fn route_dealt(&self, reference: &Reference, dealt: Option<&Dealt>) -> Result<Routed, ServingError> {
        let alone = |model| Routed {
            model,
            shadows: Vec::new(),
            arm: None,
        };
        let Some(dealt) = dealt else {
            return Ok(alone(self.resolve(reference).await?));
        };
        let Some(routed) = self.still(reference, dealt) else {
            let champion = Reference {
                model: reference.model.clone(),
                selector: Selector::Traffic,
            };
            let reference = dealt.challenger.as_ref().map_or(reference, |_| &champion);
            return Ok(alone(self.resolve(reference).await?));
        };
        let (arm, shadows) = routed;
        Ok(Routed {
            model: self.resolve(reference).await?,
            shadows,
            arm: Some(arm),
        })
    }

    /// The arm and the shadows that are still as they were dealt out.
    fn still(&self, reference: &Reference, dealt: &Dealt) -> Option<(Arm, Vec<Shadow>)> {
        let state = self.settings().registry.glance();
        let model = state.models.get(&reference.model)?;
        let traffic = &model.traffic;
        if experiment(&model.name, traffic) != dealt.experiment {
            return None;
        }
        let (version, arm) = match &dealt.challenger {
            Some(challenger) => {
                let mut splits = traffic.splits.iter();
                splits.find(|split| split.version == *challenger)?;
                (challenger, CHALLENGER)
            }
            None => (traffic.champion.as_ref()?, CHAMPION),
        };
        if reference.selector != Selector::Version(version.clone()) {
            return None;
        }
        let layout = self.layout(model);
        let arm = Arm {
            experiment: dealt.experiment.clone(),
            arm,
            since: layout.since(Some(version)),
        };
        let computes = |version: &&VersionName| traffic.shadows.iter().any(|shadow| shadow.version == **version);
        let shadows = dealt.shadows.iter().filter(computes);
        Some((arm, self.shadows(model, &layout, shadows)))
    }

    fn dealt(&self, model: &Model, subject: &str) -> Option<Dealt> {
        let traffic = &model.traffic;
        if traffic.splits.is_empty() && traffic.shadows.is_empty() {
            return None;
        }
        let experiment = experiment(&model.name, traffic);
        let layout = self.layout(model);
        let arm = layout.split.arm(experiment, subject);
        let split = traffic.splits.iter().find(|split| Some(split.version.as_str()) == arm);
        let computes = |shadow: &&Challenger| {
            let points = shadow.percent.basis_points();
            sampled(experiment, shadow.version.as_str(), subject, points)
        };
        let shadows = traffic.shadows.iter().filter(computes);
        Some(Dealt {
            experiment: experiment.to_owned(),
            challenger: split.map(|split| split.version.clone()),
            shadows: shadows.map(|shadow| shadow.version.clone()).collect(),
        })
    }

    /// Those of the versions that are loaded.
    fn shadows<'a>(
        &self,
        model: &Model,
        layout: &Layout,
        versions: impl Iterator<Item = &'a VersionName>,
    ) -> Vec<Shadow> {
        let loaded = |version: &VersionName| {
            Some(Shadow {
                model: self.get(&model.name, model.versions.get(version)?)?,
                since: layout.since(Some(version)),
            })
        };
        versions.filter_map(loaded).collect()
    }

    /// Which subjects are whose, made once for each revision of the model.
    fn layout(&self, model: &Model) -> Arc<Layout> {
        if let Some((revision, layout)) = self.0.layouts.load().get(&model.name)
            && *revision == model.revision
        {
            return Arc::clone(layout);
        }
        let layout = Arc::new(Layout::of(model));
        self.0.layouts.rcu(|layouts| {
            let mut layouts = HashMap::clone(layouts);
            layouts.insert(model.name.clone(), (model.revision, Arc::clone(&layout)));
            layouts
        });
        layout
    }
}

fn experiment<'a>(model: &'a ModelName, traffic: &'a Traffic) -> &'a str {
    traffic.experiment.as_ref().map_or(model.as_str(), |name| name.as_str())
}

/// The layout that follows from every change of the experiment that is on: a share that grows moves nobody but those it takes
/// from the champion. It is a fold over the log, so it is the same after a start and on every replica.
fn laid_out(model: &Model) -> Split {
    let now = &model.traffic;
    let on = |traffic: &Traffic| traffic.experiment == now.experiment && !traffic.splits.is_empty();
    let changes = model
        .history
        .iter()
        .rev()
        .map(|change| &change.to)
        .take_while(|to| on(to));
    let mut changes: Vec<_> = changes.collect();
    changes.reverse();
    changes.into_iter().fold(Split::default(), |layout, traffic| {
        let share = |split: &Challenger| Share {
            arm: split.version.to_string(),
            basis_points: split.percent.basis_points(),
        };
        let shares: Vec<_> = traffic.splits.iter().map(share).collect();
        // The registry refuses shares that cannot be dealt out.
        layout.reweighed(&shares).unwrap_or(layout)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use einthoven_registry_state::{Change, Event, Origin, Package, Record, State, Verified};

    fn apply(state: &mut State, change: Change) {
        let events: Vec<Event> = state.decide("ana", change).unwrap();
        for event in events {
            let record = Record {
                at: jiff::Timestamp::UNIX_EPOCH,
                who: "ana".to_owned(),
                why: String::new(),
                event,
            };
            state.apply(state.seq + 1, &record);
        }
    }

    fn set(state: &mut State, traffic: &str) -> Split {
        let model: ModelName = "heartbeat".parse().unwrap();
        let traffic = serde_json::from_str(traffic).unwrap();
        apply(state, Change::SetTraffic { model, traffic });
        laid_out(&state.models["heartbeat"])
    }

    #[test]
    fn a_greater_share_moves_nobody_but_from_the_champion() {
        let mut state = State::default();
        let model: ModelName = "heartbeat".parse().unwrap();
        for number in 1..=4 {
            let digest = format!("sha256:{number:064x}");
            let package = Some(Package {
                digest,
                files: Vec::new(),
            });
            let (version, origin) = (None, Origin::Embedded);
            apply(
                &mut state,
                Change::AddVersion {
                    model: model.clone(),
                    version,
                    origin,
                    package,
                },
            );
            let verified = Verified {
                engine: "tract".to_owned(),
                report: None,
            };
            let version = number.to_string().parse().unwrap();
            apply(
                &mut state,
                Change::Verified {
                    model: model.clone(),
                    version,
                    verified,
                },
            );
        }
        let before = set(
            &mut state,
            r#"{"champion":"1","splits":[{"version":"2","percent":10},{"version":"3","percent":10},{"version":"4","percent":5}]}"#,
        );
        let after = set(
            &mut state,
            r#"{"champion":"1","splits":[{"version":"2","percent":20},{"version":"3","percent":10},{"version":"4","percent":5}]}"#,
        );
        let mut moved = 0;
        for slot in 0..einthoven_experiments::split::SLOTS {
            if before.at(slot) != after.at(slot) {
                assert_eq!((before.at(slot), after.at(slot)), (None, Some("2")));
                moved += 1;
            }
        }
        assert_eq!(moved, 1000);
        // Another experiment deals out anew, whatever was before.
        let anew = set(
            &mut state,
            r#"{"champion":"1","splits":[{"version":"2","percent":20},{"version":"3","percent":10},{"version":"4","percent":5}],"experiment":"second"}"#,
        );
        assert_eq!(anew.shares(), after.shares());
        assert_ne!(anew, after);
    }
}
