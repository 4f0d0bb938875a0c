//! Experiments: from the change to what is remembered, and how each ends.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use einthoven_registry_state::{
    Challenger, Change, Event, Experiment, ModelName, Origin, Package, Record, Refusal, State, StoredFile, Traffic,
    TrafficAction, Verified, VersionName, Wanted,
};
use jiff::{SignedDuration, Timestamp};
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
    // And back to the same traffic does not begin it anew.
    change(&mut state, Change::RollBack { model: heartbeat() }).unwrap();
    assert!(experiment(&state, "rr").ended.is_some());
}
