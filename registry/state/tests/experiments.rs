//! Experiments: from the change to what is remembered, and how each ends.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use einthoven_registry_state::{
    Challenger, Change, Event, Experiment, ModelName, Origin, Package, Record, Refusal, State, StoredFile, Traffic,
    TrafficAction, Verified, VersionName, Wanted,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::json;

fn heartbeat() -> ModelName {
    "heartbeat".parse().unwrap()
}

fn version(number: u64) -> VersionName {
    number.to_string().parse().unwrap()
}

fn change(state: &mut State, change: Change) -> Result<Vec<Event>, Refusal> {
    let events = state.decide("ana", change)?;
    for event in &events {
        let record = Record {
            at: Timestamp::UNIX_EPOCH,
            who: "ana".to_owned(),
            why: "because".to_owned(),
            event: event.clone(),
        };
        // Through the form it is kept in, so that nothing a fold needs can be missing there.
        let kept = serde_json::to_string(&record).unwrap();
        let back: Record = serde_json::from_str(&kept).unwrap();
        assert_eq!(back, record);
        state.apply(state.seq + 1, &back);
        // The view keeps models in this form.
        let model = &state.models[&heartbeat()];
        let kept = serde_json::to_string(model).unwrap();
        assert_eq!(
            &serde_json::from_str::<einthoven_registry_state::Model>(&kept).unwrap(),
            model.as_ref()
        );
    }
    Ok(events)
}

/// Four versions that are ready; the first answers.
fn ready() -> State {
    let mut state = State::default();
    for number in 1..=4 {
        let digest = format!("sha256:{number:064x}");
        let add = Change::AddVersion {
            model: heartbeat(),
            version: None,
            origin: Origin::Embedded,
            package: Some(Package {
                digest: digest.clone(),
                files: vec![StoredFile {
                    name: "model.onnx".to_owned(),
                    size_bytes: 1,
                    sha256: digest,
                }],
            }),
        };
        change(&mut state, add).unwrap();
        let verified = Verified {
            engine: "tract".to_owned(),
            report: None,
        };
        let (model, version) = (heartbeat(), version(number));
        change(
            &mut state,
            Change::Verified {
                model,
                version,
                verified,
            },
        )
        .unwrap();
    }
    let promote = Change::Promote {
        model: heartbeat(),
        version: version(1),
    };
    change(&mut state, promote).unwrap();
    state
}

fn challenger(number: u64, percent: f64) -> Challenger {
    Challenger {
        version: version(number),
        percent: percent.try_into().unwrap(),
    }
}

fn wanted(splits: &[(u64, f64)], shadows: &[(u64, f64)]) -> Wanted {
    let all = |list: &[(u64, f64)]| {
        Some(
            list.iter()
                .map(|(number, percent)| challenger(*number, *percent))
                .collect(),
        )
    };
    Wanted {
        splits: all(splits),
        shadows: all(shadows),
        rules: None,
    }
}

fn start(name: &str, wanted: Wanted) -> Change {
    Change::StartExperiment {
        model: heartbeat(),
        experiment: name.parse().unwrap(),
        wanted,
    }
}

fn stop(name: &str) -> Change {
    Change::StopExperiment {
        model: heartbeat(),
        experiment: name.parse().unwrap(),
    }
}

fn withdraw(name: &str, number: u64) -> Change {
    Change::WithdrawChallenger {
        model: heartbeat(),
        experiment: name.parse().unwrap(),
        version: version(number),
        broken: json!([{"rail": "errors"}]),
        until: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1),
    }
}

fn experiment<'a>(state: &'a State, name: &str) -> &'a Experiment {
    state.experiment(&name.parse().unwrap()).unwrap().1
}

fn traffic(state: &State) -> &Traffic {
    &state.models[&heartbeat()].traffic
}

#[test]
fn one_is_started_reweighed_and_stopped() {
    let mut state = ready();
    let before = traffic(&state).clone();
    let rules = json!({"verdict": {"primary": "v_f1"}});
    let begun = Wanted {
        rules: Some(rules.clone()),
        ..wanted(&[(2, 10.0)], &[(3, 100.0)])
    };
    let events = change(&mut state, start("rr", begun)).unwrap();
    assert!(matches!(
        &events[..],
        [Event::ExperimentStarted { .. }, Event::TrafficChanged { .. }]
    ));
    assert_eq!(traffic(&state).experiment.as_ref().unwrap().as_str(), "rr");
    let known = experiment(&state, "rr");
    assert_eq!(
        (&known.rules, known.started_by.as_str(), known.why.as_str()),
        (&rules, "ana", "because")
    );
    assert_eq!(known.champion, version(1));

    let more = Change::ChangeExperiment {
        model: heartbeat(),
        experiment: "rr".parse().unwrap(),
        wanted: Wanted {
            splits: Some(vec![challenger(2, 20.0)]),
            shadows: None,
            rules: Some(json!({})),
        },
    };
    let events = change(&mut state, more.clone()).unwrap();
    assert!(matches!(
        &events[..],
        [Event::TrafficChanged { .. }, Event::ExperimentRuled { .. }]
    ));
    assert_eq!(experiment(&state, "rr").splits, [challenger(2, 20.0)]);
    assert_eq!(experiment(&state, "rr").shadows, [challenger(3, 100.0)]);
    // It is so already.
    assert_eq!(change(&mut state, more).unwrap(), []);

    let events = change(&mut state, stop("rr")).unwrap();
    assert!(matches!(
        &events[..],
        [Event::TrafficChanged {
            action: TrafficAction::Stopped,
            ..
        }]
    ));
    assert_eq!(*traffic(&state), before);
    let over = experiment(&state, "rr");
    // What was compared can still be read.
    assert_eq!(over.splits, [challenger(2, 20.0)]);
    assert!(
        over.ended
            .as_ref()
            .is_some_and(|ended| !ended.withdrawn && ended.why == "because")
    );
    // What is over is nothing to go back to.
    let back = change(&mut state, Change::RollBack { model: heartbeat() });
    assert_eq!(back, Err(Refusal::NothingBefore { model: heartbeat() }));
    assert!(matches!(
        change(&mut state, stop("rr")),
        Err(Refusal::ExperimentEnded { .. })
    ));
}

#[test]
fn what_cannot_be_is_refused() {
    let mut state = ready();
    let nobody = change(&mut state, start("rr", wanted(&[], &[])));
    assert!(matches!(nobody, Err(Refusal::BadTraffic { .. })));
    let too_much = change(&mut state, start("rr", wanted(&[(2, 60.0), (3, 60.0)], &[])));
    assert!(matches!(too_much, Err(Refusal::BadTraffic { .. })));
    assert!(matches!(
        change(&mut state, stop("rr")),
        Err(Refusal::NoSuchExperiment { .. })
    ));
    change(&mut state, start("rr", wanted(&[(2, 10.0)], &[]))).unwrap();
    let second = change(&mut state, start("other", wanted(&[(3, 10.0)], &[])));
    assert!(matches!(second, Err(Refusal::ExperimentRuns { .. })));
    change(&mut state, stop("rr")).unwrap();
    // Answers that were given under a name stay under it.
    let again = change(&mut state, start("rr", wanted(&[(2, 10.0)], &[])));
    assert!(matches!(again, Err(Refusal::ExperimentExists { .. })));
}

#[test]
fn whoever_breaks_a_rule_leaves_and_the_others_go_on() {
    let mut state = ready();
    change(&mut state, start("rr", wanted(&[(2, 10.0)], &[(3, 50.0)]))).unwrap();
    let events = change(&mut state, withdraw("rr", 3)).unwrap();
    assert!(matches!(
        &events[..],
        [
            Event::ChallengerWithdrawn { .. },
            Event::TrafficChanged {
                action: TrafficAction::Withdrawn,
                ..
            }
        ]
    ));
    let known = experiment(&state, "rr");
    assert!(known.ended.is_none() && known.shadows.is_empty());
    assert_eq!(
        (&known.withdrawn[0].challenger, known.withdrawn[0].shadow),
        (&challenger(3, 50.0), true)
    );
    // Another server saw the same.
    assert_eq!(change(&mut state, withdraw("rr", 3)).unwrap(), []);
    let model = &state.models[&heartbeat()];
    let later = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(2);
    assert!(model.cooling(&version(3), Timestamp::UNIX_EPOCH).is_some());
    assert!(model.cooling(&version(3), later).is_none() && model.cooling(&version(2), Timestamp::UNIX_EPOCH).is_none());

    change(&mut state, withdraw("rr", 2)).unwrap();
    let known = experiment(&state, "rr");
    assert!(known.ended.as_ref().is_some_and(|ended| ended.withdrawn));
    assert_eq!(known.withdrawn.len(), 2);
    assert_eq!(*traffic(&state), Traffic::only(version(1)));
}

#[test]
fn traffic_that_somebody_puts_otherwise_ends_it() {
    let mut state = ready();
    change(&mut state, start("rr", wanted(&[(2, 10.0)], &[]))).unwrap();
    let promote = Change::Promote {
        model: heartbeat(),
        version: version(2),
    };
    change(&mut state, promote).unwrap();
    assert!(
        experiment(&state, "rr")
            .ended
            .as_ref()
            .is_some_and(|ended| !ended.withdrawn)
    );
    assert!(state.models[&heartbeat()].running().is_none());
    // Back to what answered before does not bring its challengers back: nobody watches them any more.
    change(&mut state, Change::RollBack { model: heartbeat() }).unwrap();
    assert!(experiment(&state, "rr").ended.is_some());
    assert_eq!(*traffic(&state), Traffic::only(version(1)));
}

#[test]
fn names_outlive_their_model() {
    let mut state = ready();
    change(&mut state, start("rr", wanted(&[(2, 10.0)], &[]))).unwrap();
    change(&mut state, stop("rr")).unwrap();
    let put = |experiment: Option<&str>| Change::SetTraffic {
        model: heartbeat(),
        traffic: Traffic {
            splits: vec![challenger(2, 10.0)],
            experiment: experiment.map(|name| name.parse().unwrap()),
            ..Traffic::only(version(1))
        },
    };
    change(&mut state, put(Some("salt"))).unwrap();
    change(&mut state, put(None)).unwrap();
    let nobody = Change::SetTraffic {
        model: heartbeat(),
        traffic: Traffic::default(),
    };
    change(&mut state, nobody).unwrap();
    let record = |event: Event| Record {
        at: Timestamp::UNIX_EPOCH,
        who: "ana".to_owned(),
        why: String::new(),
        event,
    };
    let deleted = state.decide("ana", Change::DeleteModel { model: heartbeat() }).unwrap();
    state.apply(state.seq + 1, &record(deleted[0].clone()));
    let after = ready().models.remove(&heartbeat()).unwrap();
    state.models.insert(heartbeat(), after);
    // Answers of the deleted one stand under these for ever.
    for name in ["rr", "salt", "heartbeat"] {
        let again = change(&mut state, start(name, wanted(&[(2, 10.0)], &[])));
        assert!(
            matches!(again, Err(Refusal::ExperimentExists { .. })),
            "{name}: {again:?}"
        );
        let dealt = change(&mut state, put(Some(name)));
        assert!(
            matches!(dealt, Err(Refusal::ExperimentExists { .. })),
            "{name}: {dealt:?}"
        );
    }
    change(&mut state, start("other", wanted(&[(2, 10.0)], &[]))).unwrap();
}

#[test]
fn what_was_dealt_out_without_an_experiment_is_no_experiments_evidence() {
    let mut state = ready();
    let plain = Change::SetTraffic {
        model: heartbeat(),
        traffic: Traffic {
            splits: vec![challenger(2, 10.0)],
            ..Traffic::only(version(1))
        },
    };
    change(&mut state, plain).unwrap();
    // Such answers stand under the model's name.
    let named = change(&mut state, start("heartbeat", wanted(&[(2, 10.0)], &[])));
    assert!(matches!(named, Err(Refusal::ExperimentExists { .. })), "{named:?}");
    change(&mut state, start("rr", wanted(&[(2, 10.0)], &[]))).unwrap();
}

#[test]
fn nobody_is_dealt_out_by_an_experiment_that_is_over_or_another_models() {
    let mut state = ready();
    let by = |name: &str, splits: Vec<Challenger>| Change::SetTraffic {
        model: heartbeat(),
        traffic: Traffic {
            champion: Some(version(1)),
            splits,
            shadows: Vec::new(),
            experiment: Some(name.parse().unwrap()),
        },
    };
    // A name that is no experiment's is how subjects are dealt out, and no experiment's later.
    change(&mut state, by("salt", vec![challenger(2, 10.0)])).unwrap();
    let named = change(&mut state, start("salt", wanted(&[(2, 10.0)], &[])));
    assert!(matches!(named, Err(Refusal::ExperimentExists { .. })));
    change(&mut state, start("rr", wanted(&[(2, 10.0)], &[]))).unwrap();
    // The one that runs may be reweighed this way, but not emptied.
    change(&mut state, by("rr", vec![challenger(2, 20.0)])).unwrap();
    assert!(experiment(&state, "rr").ended.is_none());
    let emptied = change(&mut state, by("rr", Vec::new()));
    assert!(matches!(emptied, Err(Refusal::BadTraffic { .. })));
    let other = Change::AddVersion {
        model: "other".parse().unwrap(),
        version: None,
        origin: Origin::Embedded,
        package: None,
    };
    change(&mut state, other).unwrap();
    let others = Change::SetTraffic {
        model: "other".parse().unwrap(),
        traffic: Traffic {
            champion: Some(version(1)),
            splits: vec![challenger(2, 20.0)],
            shadows: Vec::new(),
            experiment: Some("rr".parse().unwrap()),
        },
    };
    assert!(matches!(change(&mut state, others), Err(Refusal::BadTraffic { .. })));
    change(&mut state, stop("rr")).unwrap();
    let over = change(&mut state, by("rr", vec![challenger(2, 20.0)]));
    assert!(matches!(over, Err(Refusal::ExperimentEnded { .. })));
}

#[test]
fn evidence_counts_since_the_last_change_of_who_takes_part_how() {
    let mut state = ready();
    change(&mut state, start("rr", wanted(&[(2, 10.0)], &[(3, 50.0)]))).unwrap();
    let since = |state: &State, number: u64| {
        let model = &state.models[&heartbeat()];
        model.takes_part_since(&version(number)).map(|change| change.seq)
    };
    let begun = state.seq;
    assert_eq!(
        [1, 2, 3, 4].map(|number| since(&state, number)),
        [Some(begun), Some(begun), Some(begun), None]
    );
    let reweigh = |splits: &[(u64, f64)], shadows: &[(u64, f64)]| Change::ChangeExperiment {
        model: heartbeat(),
        experiment: "rr".parse().unwrap(),
        wanted: wanted(splits, shadows),
    };
    change(&mut state, reweigh(&[(2, 20.0)], &[(3, 50.0)])).unwrap();
    let reweighed = state.seq;
    assert_eq!(
        [1, 2, 3].map(|number| since(&state, number)),
        [Some(begun), Some(reweighed), Some(begun)]
    );
    change(&mut state, withdraw("rr", 3)).unwrap();
    assert_eq!(
        [1, 2, 3].map(|number| since(&state, number)),
        [Some(begun), Some(reweighed), None]
    );
    // It comes back after its cool-down, and begins anew.
    change(&mut state, reweigh(&[(2, 20.0)], &[(3, 50.0)])).unwrap();
    assert_eq!(since(&state, 3), Some(state.seq));
    change(&mut state, stop("rr")).unwrap();
    assert_eq!([1, 2, 3].map(|number| since(&state, number)), [None; 3]);
}

/// Whatever somebody does with the traffic, at random.
#[derive(Debug, Clone)]
enum Move {
    Promote(u64),
    Put(u64, Option<usize>, Option<u64>, Option<u64>),
    Back,
    Start(usize, Option<u64>, Option<u64>),
    Reweigh(Option<u64>, Option<u64>),
    Stop,
    Withdraw(u64),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let version = || 1..=4_u64;
    let maybe = || proptest::option::of(1..=4_u64);
    let one = prop_oneof![
        1 => version().prop_map(Move::Promote),
        1 => (version(), proptest::option::of(0..6_usize), maybe(), maybe())
            .prop_map(|(champion, by, split, shadow)| Move::Put(champion, by, split, shadow)),
        3 => Just(Move::Back),
        2 => (0..6_usize, maybe(), maybe()).prop_map(|(name, split, shadow)| Move::Start(name, split, shadow)),
        1 => (maybe(), maybe()).prop_map(|(split, shadow)| Move::Reweigh(split, shadow)),
        1 => Just(Move::Stop),
        1 => version().prop_map(Move::Withdraw),
    ];
    proptest::collection::vec(one, 1..40)
}

fn shares(one: Option<u64>) -> Vec<Challenger> {
    one.map(|number| challenger(number, 10.0 * number as f64))
        .into_iter()
        .collect()
}

proptest! {
    /// Nobody is dealt out, and nothing computes beside, but by an experiment that runs, or as somebody put it who named none.
    #[test]
    fn no_challenger_without_an_experiment_that_runs_or_somebody_who_put_it(moves in moves()) {
        let mut state = ready();
        let name = |number: usize| format!("e{number}");
        // Traffic that somebody put, which belongs to no experiment.
        let mut put: Vec<Traffic> = Vec::new();
        for one in moves {
            let running = state.models[&heartbeat()].running().map(|running| running.name.to_string());
            let of_running = || running.clone().unwrap_or_else(|| "e0".to_owned());
            let asked = match one.clone() {
                Move::Promote(number) => Change::Promote { model: heartbeat(), version: version(number) },
                Move::Put(champion, by, split, shadow) => Change::SetTraffic {
                    model: heartbeat(),
                    traffic: Traffic {
                        champion: Some(version(champion)),
                        splits: shares(split),
                        shadows: shares(shadow),
                        experiment: by.map(|by| name(by).parse().unwrap()),
                    },
                },
                Move::Back => Change::RollBack { model: heartbeat() },
                Move::Start(number, split, shadow) => start(&name(number), Wanted {
                    splits: Some(shares(split)), shadows: Some(shares(shadow)), rules: None,
                }),
                Move::Reweigh(split, shadow) => Change::ChangeExperiment {
                    model: heartbeat(),
                    experiment: of_running().parse().unwrap(),
                    wanted: Wanted { splits: Some(shares(split)), shadows: Some(shares(shadow)), rules: None },
                },
                Move::Stop => stop(&of_running()),
                Move::Withdraw(number) => withdraw(&of_running(), number),
            };
            if let Change::SetTraffic { traffic, .. } = &asked {
                put.push(traffic.clone());
            }
            let _ = change(&mut state, asked);
            let model = &state.models[&heartbeat()];
            let now = &model.traffic;
            let known = |traffic: &Traffic| traffic.experiment.as_ref().and_then(|name| model.experiments.get(name));
            match known(now) {
                Some(owner) => {
                    prop_assert!(owner.ended.is_none(), "{:?} left {:?} of what is over", one, now);
                    prop_assert_eq!((&owner.splits, &owner.shadows), (&now.splits, &now.shadows));
                }
                None => prop_assert!(
                    now.splits.is_empty() && now.shadows.is_empty() || put.contains(now),
                    "{:?} left {:?} that nobody put", one, now
                ),
            }
            for experiment in model.experiments.values().filter(|experiment| experiment.ended.is_none()) {
                prop_assert_eq!(now.experiment.as_ref(), Some(&experiment.name), "{:?} left it to nobody", one);
            }
            for past in &model.past {
                prop_assert!(known(past).is_none_or(|owner| owner.ended.is_none()), "{:?} left {:?} behind", one, past);
            }
            // What a rollback would bring back changes something.
            let back = model.previous();
            prop_assert_ne!(back.as_ref(), Some(now));
        }
    }
}
