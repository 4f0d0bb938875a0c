//! From a reference and a subject to the version that answers, and to those that compute beside it.

use crate::error::ServingError;
use crate::loaded::Loaded;
use arc_swap::ArcSwap;
use einthoven_classify::ServedModel;
use einthoven_experiments::split::{Share, Split, sampled};
use einthoven_registry_state::{Challenger, Model, ModelName, Reference, Selector, Traffic, VersionName};
use std::collections::HashMap;
use std::sync::Arc;

/// What a request goes to.
pub struct Routed {
    /// It answers.
    pub model: Arc<ServedModel>,
    /// They compute the same when the answer has left, and answer nobody. Only what is loaded: none waits for them.
    pub shadows: Vec<Arc<ServedModel>>,
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
}

/// Answers whom no challenger has.
pub const CHAMPION: &str = "champion";
/// Answers its share of the subjects.
pub const CHALLENGER: &str = "challenger";
/// Computes beside who answers, and answers nobody.
pub const SHADOW: &str = "shadow";

/// Layouts of subjects by model, with the revision each was made at.
pub(crate) type Layouts = ArcSwap<HashMap<ModelName, (u64, Arc<Split>)>>;

impl Loaded {
    /// What a subject's request goes to: the version or alias that the reference names, else what the traffic deals out to the
    /// subject. Where the challenger that is dealt out is not loaded, the champion answers.
    ///
    /// # Errors
    /// As for [`Loaded::resolve`].
    pub async fn route(&self, reference: &Reference, subject: &str) -> Result<Routed, ServingError> {
        if reference.selector == Selector::Traffic
            && let Some(dealt) = self.dealt(&reference.model, subject)
        {
            let (model, arm) = match dealt.challenger {
                Some(model) => (model, CHALLENGER),
                None => (self.resolve(reference).await?, CHAMPION),
            };
            return Ok(Routed {
                model,
                shadows: dealt.shadows,
                arm: Some(Arm {
                    experiment: dealt.experiment,
                    arm,
                }),
            });
        }
        Ok(Routed {
            model: self.resolve(reference).await?,
            shadows: Vec::new(),
            arm: None,
        })
    }

    /// What the traffic deals out to a subject; none where the champion is alone.
    fn dealt(&self, name: &ModelName, subject: &str) -> Option<Dealt> {
        let state = self.settings().registry.glance();
        let model = state.models.get(name)?;
        let traffic = &model.traffic;
        if traffic.splits.is_empty() && traffic.shadows.is_empty() {
            return None;
        }
        let experiment = experiment(name, traffic);
        let loaded = |version: &VersionName| self.get(name, model.versions.get(version)?);
        let layout = self.layout(model);
        let arm = layout.arm(experiment, subject);
        let split = traffic.splits.iter().find(|split| Some(split.version.as_str()) == arm);
        let computes = |shadow: &&Challenger| {
            let points = shadow.percent.basis_points();
            sampled(experiment, shadow.version.as_str(), subject, points)
        };
        let shadows = traffic.shadows.iter().filter(computes);
        Some(Dealt {
            experiment: experiment.to_owned(),
            challenger: split.and_then(|split| loaded(&split.version)),
            shadows: shadows.filter_map(|shadow| loaded(&shadow.version)).collect(),
        })
    }

    /// Which subjects are whose, made once for each revision of the model.
    fn layout(&self, model: &Model) -> Arc<Split> {
        if let Some((revision, layout)) = self.0.layouts.load().get(&model.name)
            && *revision == model.revision
        {
            return Arc::clone(layout);
        }
        let layout = Arc::new(laid_out(model));
        self.0.layouts.rcu(|layouts| {
            let mut layouts = HashMap::clone(layouts);
            layouts.insert(model.name.clone(), (model.revision, Arc::clone(&layout)));
            layouts
        });
        layout
    }
}

struct Dealt {
    experiment: String,
    challenger: Option<Arc<ServedModel>>,
    shadows: Vec<Arc<ServedModel>>,
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
