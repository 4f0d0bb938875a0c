//! Which events a change makes.

use crate::change::{Change, Package};
use crate::event::{Event, TrafficAction};
use crate::gate::Gate;
use crate::model::Model;
use crate::name::{ModelName, VersionName};
use crate::refusal::Refusal;
use crate::state::State;
use crate::traffic::Traffic;
use crate::version::{Origin, Phase, Version};

impl State {
    /// The events a change makes, in order; none when it is so already.
    ///
    /// `who` counts where a gate wants a second person.
    ///
    /// # Errors
    /// [`Refusal`] saying why the change is not made.
    pub fn decide(&self, who: &str, change: Change) -> Result<Vec<Event>, Refusal> {
        match change {
            Change::CreateModel { model, description } => match self.models.get(&model) {
                Some(_) => Err(Refusal::ModelExists { model }),
                None => Ok(vec![Event::ModelCreated { model, description }]),
            },
            Change::DescribeModel { model, description: to } => {
                let from = self.model(&model)?.description.clone();
                Ok(unless(from == to, Event::ModelDescribed { model, from, to }))
            }
            Change::DeleteModel { model } => self.delete_model(model),
            Change::SetGate { model, gate: to } => {
                let from = self.model(&model)?.gate.clone();
                Ok(unless(from == to, Event::GateSet { model, from, to }))
            }
            Change::AddVersion {
                model,
                version,
                origin,
                package,
            } => self.add_version(model, version, origin, package),
            Change::Fetched {
                model,
                version,
                package: Package { digest, files },
            } => {
                self.in_phase(&model, &version, "fetching")?;
                Ok(vec![Event::VersionFetched {
                    model,
                    version,
                    digest,
                    files,
                }])
            }
            Change::Verified {
                model,
                version,
                verified,
            } => {
                self.in_phase(&model, &version, "verifying")?;
                Ok(vec![Event::VersionReady {
                    model,
                    version,
                    verified,
                }])
            }
            Change::Reject {
                model,
                version,
                rejection,
            } => {
                let found = self.model(&model)?.version(&version)?;
                if !matches!(found.phase, Phase::Fetching | Phase::Verifying) {
                    return Err(wrong_phase(&model, found, "fetching or verifying"));
                }
                Ok(vec![Event::VersionRejected {
                    model,
                    version,
                    rejection,
                }])
            }
            Change::Evaluated {
                model,
                version,
                set,
                evaluation,
            } => {
                self.in_phase(&model, &version, "ready")?;
                Ok(vec![Event::VersionEvaluated {
                    model,
                    version,
                    set,
                    evaluation,
                }])
            }
            Change::Promote { model, version } => {
                self.change_traffic(who, &model, Traffic::only(version), TrafficAction::Promoted)
            }
            Change::SetTraffic { model, traffic } => {
                self.may_deal_by(&model, &traffic)?;
                self.change_traffic(who, &model, traffic, TrafficAction::Set)
            }
            Change::RollBack { model: name } => {
                let model = self.model(&name)?;
                let to = model.previous();
                let to = to.ok_or_else(|| Refusal::NothingBefore { model: name.clone() })?;
                let (from, action) = (model.traffic.clone(), TrafficAction::RolledBack);
                Ok(vec![Event::TrafficChanged {
                    model: name,
                    action,
                    from,
                    to,
                }])
            }
            Change::StartExperiment {
                model,
                experiment,
                wanted,
            } => self.start_experiment(who, &model, &experiment, wanted),
            Change::ChangeExperiment {
                model,
                experiment,
                wanted,
            } => self.change_experiment(who, &model, &experiment, wanted),
            Change::StopExperiment { model, experiment } => self.stop_experiment(&model, &experiment),
            Change::WithdrawChallenger {
                model,
                experiment,
                version,
                broken,
                until,
            } => self.withdraw_challenger(&model, &experiment, version, broken, until),
            Change::FreezeReference {
                model,
                experiment,
                version,
                reference,
                replace,
            } => self.freeze_reference(&model, &experiment, version, reference, replace),
            Change::FindDrift {
                model,
                experiment,
                version,
                reference,
                recordings,
                figures,
            } => {
                let frozen = self.takes_part(&model, &experiment, &version)?.references.get(&version);
                // A look at one that was replaced meanwhile says nothing about the new one.
                let holds = frozen.is_some_and(|frozen| frozen.sha256 == reference);
                let found = Event::DriftFound {
                    model,
                    experiment,
                    version,
                    reference,
                    recordings,
                    figures,
                };
                Ok(unless(!holds, found))
            }
            Change::Retire { model, version } => {
                let found = self.in_phase(&model, &version, "ready")?;
                not_pointed_at(self.model(&model)?, found)?;
                Ok(vec![Event::VersionRetired { model, version }])
            }
            Change::DeleteVersion { model, version } => {
                let found = self.model(&model)?.version(&version)?;
                not_pointed_at(self.model(&model)?, found)?;
                let digest = found.digest.clone();
                Ok(vec![Event::VersionDeleted { model, version, digest }])
            }
            Change::MoveAlias { model: name, alias, to } => {
                let model = self.model(&name)?;
                let from = model.aliases.get(&alias).cloned();
                match &to {
                    Some(to) => drop(self.in_phase(&name, to, "ready")?),
                    None if from.is_none() => return Err(Refusal::NoSuchAlias { model: name, alias }),
                    None => {}
                }
                Ok(unless(
                    from == to,
                    Event::AliasMoved {
                        model: name,
                        alias,
                        from,
                        to,
                    },
                ))
            }
            Change::SetSource {
                source,
                settings,
                follow,
                poll_s,
                webhook_secret_file,
            } => Ok(vec![Event::SourceSet {
                source,
                settings,
                follow,
                poll_s,
                webhook_secret_file,
            }]),
            Change::RemoveSource { source } => {
                self.source(&source)?;
                Ok(vec![Event::SourceRemoved { source }])
            }
            Change::Access(change) => Ok(self.access.decide(change)?.into_iter().map(Event::Access).collect()),
        }
    }

    fn in_phase(&self, model: &ModelName, version: &VersionName, must_be: &'static str) -> Result<&Version, Refusal> {
        let found = self.model(model)?.version(version)?;
        if found.phase.name() == must_be {
            return Ok(found);
        }
        Err(wrong_phase(model, found, must_be))
    }

    fn delete_model(&self, name: ModelName) -> Result<Vec<Event>, Refusal> {
        let model = self.model(&name)?;
        let mut by: Vec<_> = model.aliases.keys().map(|alias| format!("alias `{alias}`")).collect();
        if model.traffic != Traffic::default() {
            by.insert(0, "the traffic".to_owned());
        }
        if by.is_empty() {
            return Ok(vec![Event::ModelDeleted { model: name }]);
        }
        Err(Refusal::PointedAt {
            what: format!("model `{name}`"),
            by,
        })
    }

    fn add_version(
        &self,
        name: ModelName,
        version: Option<VersionName>,
        origin: Origin,
        package: Option<Package>,
    ) -> Result<Vec<Event>, Refusal> {
        let mut events = Vec::new();
        let model = self.models.get(&name);
        let mut chosen = version.clone();
        if let Some(model) = model {
            let there = model
                .versions
                .values()
                .filter(|there| !matches!(there.phase, Phase::Rejected(_)));
            for there in there {
                let (model, version) = (name.clone(), there.name.clone());
                if there.origin.is_same_in_mlflow(&origin) {
                    return Err(Refusal::SameOrigin { model, version });
                }
                let same = package
                    .as_ref()
                    .is_some_and(|new| there.digest.as_ref() == Some(&new.digest));
                if same {
                    return Err(Refusal::SameContent { model, version });
                }
            }
            if let Some(version) = version.filter(|version| model.versions.contains_key(version)) {
                return Err(Refusal::VersionExists { model: name, version });
            }
            if chosen.is_none() {
                chosen = number(model.next_number());
            }
        } else {
            let description = String::new();
            events.push(Event::ModelCreated {
                model: name.clone(),
                description,
            });
        }
        let Some(version) = chosen.or_else(|| number(1)) else {
            return Ok(events);
        };
        events.push(Event::VersionAdded {
            model: name.clone(),
            version: version.clone(),
            origin,
        });
        if let Some(Package { digest, files }) = package {
            events.push(Event::VersionFetched {
                model: name,
                version,
                digest,
                files,
            });
        }
        Ok(events)
    }

    pub(crate) fn change_traffic(
        &self,
        who: &str,
        name: &ModelName,
        to: Traffic,
        action: TrafficAction,
    ) -> Result<Vec<Event>, Refusal> {
        let model = self.model(name)?;
        let from = model.traffic.clone();
        if from == to {
            return Ok(Vec::new());
        }
        if let Some(why) = to.fault() {
            return Err(Refusal::BadTraffic { why });
        }
        for version in to.versions() {
            let found = self.in_phase(name, version, "ready")?;
            if from.names(version) {
                continue;
            }
            // Who proposes need not be the second person; all else must hold before it is worth proposing.
            let alone = Gate {
                second_person: false,
                ..model.gate.clone()
            };
            let mut findings = alone.findings(found, None, who);
            if findings.is_empty() {
                findings = model.gate.findings(found, model.proposal.as_ref(), who);
                let proposed = model
                    .proposal
                    .as_ref()
                    .is_some_and(|proposal| proposal.version == *version);
                if !findings.is_empty() && !proposed {
                    let (model, version) = (name.clone(), version.clone());
                    return Ok(vec![Event::PromotionProposed { model, version }]);
                }
            }
            if !findings.is_empty() {
                return Err(Refusal::Gate {
                    model: name.clone(),
                    version: version.clone(),
                    findings,
                });
            }
        }
        Ok(vec![Event::TrafficChanged {
            model: name.clone(),
            action,
            from,
            to,
        }])
    }
}

fn unless(already: bool, event: Event) -> Vec<Event> {
    if already { Vec::new() } else { vec![event] }
}

fn number(number: u64) -> Option<VersionName> {
    number.to_string().parse().ok()
}

fn wrong_phase(model: &ModelName, version: &Version, must_be: &'static str) -> Refusal {
    Refusal::WrongPhase {
        model: model.clone(),
        version: version.name.clone(),
        is: version.phase.name(),
        must_be,
    }
}

fn not_pointed_at(model: &Model, version: &Version) -> Result<(), Refusal> {
    let by = model.pointing_at(&version.name);
    if by.is_empty() {
        return Ok(());
    }
    let what = format!("version `{}`", version.title(&model.name));
    Err(Refusal::PointedAt { what, by })
}
