//! Changes and what they make of the state, against simple models of the same.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use einthoven_registry_state::{
    Change, Evaluation, Event, FollowRule, Gate, MetricRule, ModelName, Origin, Package, Phase, Record, Reference,
    Refusal, Rejection, State, Step, StoredFile, Traffic, Verified, VersionName,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn heartbeat() -> ModelName {
    "heartbeat".parse().unwrap()
}

fn version(number: usize) -> VersionName {
    number.to_string().parse().unwrap()
}

fn change(state: &mut State, who: &str, change: Change) -> Result<Vec<Event>, Refusal> {
    let events = state.decide(who, change)?;
    for event in &events {
        let record = Record {
            at: jiff::Timestamp::UNIX_EPOCH,
            who: who.to_owned(),
            why: String::new(),
            event: event.clone(),
        };
        // Through the form it is kept in, so that nothing a fold needs can be missing there.
        let kept = serde_json::to_string(&record).unwrap();
        let back: Record = serde_json::from_str(&kept).unwrap();
        assert_eq!(back, record);
        state.apply(state.seq + 1, &back);
    }
    Ok(events)
}

fn package(content: usize) -> Package {
    Package {
        digest: format!("sha256:{content:064x}"),
        files: vec![StoredFile {
            name: "model.onnx".to_owned(),
            size_bytes: 1,
            sha256: format!("sha256:{content:064x}"),
        }],
    }
}

fn upload(content: usize) -> Change {
    Change::AddVersion {
        model: heartbeat(),
        version: None,
        origin: Origin::Upload {
            file: "model.onnx".to_owned(),
        },
        package: Some(package(content)),
    }
}

fn verified(number: usize) -> Change {
    Change::Verified {
        model: heartbeat(),
        version: version(number),
        verified: Verified {
            engine: "tract".to_owned(),
            report: None,
        },
    }
}

fn promote(number: usize) -> Change {
    Change::Promote {
        model: heartbeat(),
        version: version(number),
    }
}

/// `count` ready versions, `1` and so on.
fn ready(count: usize) -> State {
    let mut state = State::default();
    for number in 1..=count {
        change(&mut state, "ana", upload(number)).unwrap();
        change(&mut state, "ana", verified(number)).unwrap();
    }
    state
}

fn champion(state: &State) -> Option<String> {
    state.models[&heartbeat()]
        .traffic
        .champion
        .as_ref()
        .map(ToString::to_string)
}

#[test]
fn a_version_goes_from_upload_to_answering_and_back() {
    let mut state = ready(2);
    change(&mut state, "ana", promote(1)).unwrap();
    change(&mut state, "ben", promote(2)).unwrap();
    let events = change(&mut state, "cleo", Change::RollBack { model: heartbeat() }).unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(champion(&state).as_deref(), Some("1"));
    let model = &state.models[&heartbeat()];
    let who: Vec<_> = model.history.iter().map(|change| change.who.as_str()).collect();
    assert_eq!(who, ["ana", "ben", "cleo"]);
    let refused = change(&mut state, "cleo", Change::RollBack { model: heartbeat() });
    assert_eq!(refused, Err(Refusal::NothingBefore { model: heartbeat() }));
}

#[test]
fn what_is_not_ready_does_not_answer() {
    let mut state = ready(1);
    change(&mut state, "ana", upload(2)).unwrap();
    assert!(matches!(
        change(&mut state, "ana", promote(2)),
        Err(Refusal::WrongPhase { is: "verifying", .. })
    ));
    let rejection = Rejection {
        step: Step::Golden,
        reason: "differs".to_owned(),
        remedy: "export again".to_owned(),
    };
    let reject = Change::Reject {
        model: heartbeat(),
        version: version(2),
        rejection,
    };
    change(&mut state, "ana", reject.clone()).unwrap();
    assert!(matches!(
        change(&mut state, "ana", promote(2)),
        Err(Refusal::WrongPhase { is: "rejected", .. })
    ));
    // A late verdict changes nothing.
    assert!(change(&mut state, "ana", verified(2)).is_err() && change(&mut state, "ana", reject).is_err());
    assert!(matches!(
        change(&mut state, "ana", promote(9)),
        Err(Refusal::NoSuchVersion { .. })
    ));
}

#[test]
fn the_same_content_is_not_added_twice_unless_it_was_rejected() {
    let mut state = ready(1);
    assert_eq!(
        change(&mut state, "ana", upload(1)),
        Err(Refusal::SameContent {
            model: heartbeat(),
            version: version(1)
        })
    );
    change(&mut state, "ana", upload(2)).unwrap();
    let rejection = Rejection {
        step: Step::Load,
        reason: "no memory".to_owned(),
        remedy: "try again".to_owned(),
    };
    change(
        &mut state,
        "ana",
        Change::Reject {
            model: heartbeat(),
            version: version(2),
            rejection,
        },
    )
    .unwrap();
    change(&mut state, "ana", upload(2)).unwrap();
    assert!(matches!(
        state.models[&heartbeat()].versions[&version(3)].phase,
        Phase::Verifying
    ));
}

#[test]
fn what_something_points_at_stays() {
    let mut state = ready(2);
    change(&mut state, "ana", promote(1)).unwrap();
    let staging = "staging".parse().unwrap();
    change(
        &mut state,
        "ana",
        Change::MoveAlias {
            model: heartbeat(),
            alias: staging,
            to: Some(version(2)),
        },
    )
    .unwrap();
    for number in [1, 2] {
        let (model, version) = (heartbeat(), version(number));
        let delete = Change::DeleteVersion {
            model: model.clone(),
            version: version.clone(),
        };
        assert!(matches!(
            change(&mut state, "ana", delete),
            Err(Refusal::PointedAt { .. })
        ));
        assert!(matches!(
            change(&mut state, "ana", Change::Retire { model, version }),
            Err(Refusal::PointedAt { .. })
        ));
    }
    let refused = change(&mut state, "ana", Change::DeleteModel { model: heartbeat() }).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "model `heartbeat` cannot go while the traffic and alias `staging` points at it; move that first"
    );
    let resolved = |text: &str| {
        state
            .resolve(&text.parse::<Reference>().unwrap())
            .map(|(_, version)| version.name.to_string())
    };
    assert_eq!(resolved("heartbeat@staging").unwrap(), "2");
    assert_eq!(resolved("heartbeat").unwrap(), "1");
    assert!(matches!(resolved("heartbeat@none"), Err(Refusal::NoSuchAlias { .. })));
    assert!(matches!(resolved("other"), Err(Refusal::NoSuchModel { .. })));
}

#[test]
fn a_gate_holds_until_everything_it_asks_for_is_there() {
    let mut state = ready(1);
    let metric = MetricRule {
        set: "frozen".parse().unwrap(),
        set_digest: None,
        metric: "macro_f1".to_owned(),
        at_least: 0.6,
    };
    let gate = Gate {
        card: true,
        second_person: false,
        metric: Some(metric),
    };
    change(
        &mut state,
        "ana",
        Change::SetGate {
            model: heartbeat(),
            gate,
        },
    )
    .unwrap();
    let Err(Refusal::Gate { findings, .. }) = change(&mut state, "ana", promote(1)) else {
        panic!()
    };
    assert_eq!(findings.len(), 2, "{findings:?}");
    assert_eq!(champion(&state), None);
}

#[test]
fn a_gate_that_names_the_files_of_its_set_takes_no_other_of_that_name() {
    let mut state = ready(1);
    let files = |digit: usize| format!("sha256:{digit:064x}");
    let metric = MetricRule {
        set: "frozen".parse().unwrap(),
        set_digest: Some(files(1)),
        metric: "macro_f1".to_owned(),
        at_least: 0.6,
    };
    let gate = Gate {
        metric: Some(metric),
        ..Gate::default()
    };
    let model = heartbeat();
    change(&mut state, "ana", Change::SetGate { model, gate }).unwrap();
    for (set_digest, passes) in [(files(2), false), (files(1), true)] {
        let evaluation = Evaluation {
            set_digest,
            recordings: 1,
            metrics: [("macro_f1".to_owned(), 0.9)].into(),
            at: jiff::Timestamp::UNIX_EPOCH,
            leaks: Vec::new(),
        };
        let evaluated = Change::Evaluated {
            model: heartbeat(),
            version: version(1),
            set: "frozen".parse().unwrap(),
            evaluation,
        };
        change(&mut state, "ana", evaluated).unwrap();
        assert_eq!(change(&mut state, "ana", promote(1)).is_ok(), passes);
    }
}

#[test]
fn a_model_that_is_stopped_can_be_deleted_and_going_back_always_changes_something() {
    let mut state = ready(2);
    let stop = || Change::SetTraffic {
        model: heartbeat(),
        traffic: Traffic::default(),
    };
    let back = || Change::RollBack { model: heartbeat() };
    change(&mut state, "ana", promote(1)).unwrap();
    change(&mut state, "ana", stop()).unwrap();
    assert_eq!(champion(&state), None);
    change(&mut state, "ana", back()).unwrap();
    assert_eq!(champion(&state).as_deref(), Some("1"));
    // Stopped and started again with the same version: nothing lies between.
    change(&mut state, "ana", stop()).unwrap();
    change(&mut state, "ana", promote(1)).unwrap();
    assert!(matches!(
        change(&mut state, "ana", back()),
        Err(Refusal::NothingBefore { .. })
    ));
    change(&mut state, "ana", stop()).unwrap();
    change(&mut state, "ana", Change::DeleteModel { model: heartbeat() }).unwrap();
    assert!(state.models.is_empty());
}

#[test]
fn two_people_promote_where_two_are_asked_for() {
    let mut state = ready(1);
    let gate = Gate {
        second_person: true,
        ..Gate::default()
    };
    change(
        &mut state,
        "ana",
        Change::SetGate {
            model: heartbeat(),
            gate,
        },
    )
    .unwrap();
    let proposed = change(&mut state, "ana", promote(1)).unwrap();
    assert!(matches!(proposed[..], [Event::PromotionProposed { .. }]));
    assert_eq!(champion(&state), None);
    assert!(matches!(
        change(&mut state, "ana", promote(1)),
        Err(Refusal::Gate { .. })
    ));
    change(&mut state, "ben", promote(1)).unwrap();
    assert_eq!(champion(&state).as_deref(), Some("1"));
}

#[test]
fn following_twice_brings_a_version_once() {
    let origin = Origin::Mlflow {
        source: "lab".parse().unwrap(),
        model: "heartbeat".to_owned(),
        version: "7".to_owned(),
        run_id: None,
        manifest: serde_json::Map::new(),
        promote: false,
    };
    let pull = Change::AddVersion {
        model: heartbeat(),
        version: Some(version(7)),
        origin,
        package: None,
    };
    let mut state = State::default();
    change(&mut state, "lab", pull.clone()).unwrap();
    assert!(matches!(
        change(&mut state, "lab", pull),
        Err(Refusal::SameOrigin { .. })
    ));
    let rule = FollowRule {
        model: "heartbeat".to_owned(),
        alias: None,
        into: None,
        manifest: serde_json::Map::new(),
        promote: true,
    };
    let set = Change::SetSource {
        source: "lab".parse().unwrap(),
        settings: serde_json::json!({"url": "http://127.0.0.1:1"}),
        follow: vec![rule],
        poll_s: Some(5),
        webhook_secret_file: None,
    };
    change(&mut state, "ana", set).unwrap();
    assert_eq!(state.sources.len(), 1);
}

#[derive(Debug, Clone)]
enum Move {
    Promote(usize),
    Stop,
    RollBack,
    Retire(usize),
    Delete(usize),
}

fn step() -> impl Strategy<Value = Move> {
    prop_oneof![
        40 => (1..9_usize).prop_map(Move::Promote),
        40 => Just(Move::RollBack),
        10 => Just(Move::Stop),
        1 => (1..9_usize).prop_map(Move::Retire),
        1 => (1..9_usize).prop_map(Move::Delete),
    ]
}

proptest! {
    /// 1,000 random steps; the traffic always is what a stack of what was promoted says.
    #[test]
    fn rolling_back_walks_down_what_was_promoted(steps in prop::collection::vec(step(), 1000)) {
        let mut state = ready(8);
        let mut serves: BTreeSet<usize> = (1..9).collect();
        let (mut now, mut stack): (Option<usize>, Vec<usize>) = (None, Vec::new());
        for step in steps {
            match step {
                Move::Promote(number) => {
                    let done = change(&mut state, "ana", promote(number));
                    prop_assert_eq!(done.is_ok(), serves.contains(&number));
                    if done.is_ok() && now != Some(number) {
                        stack.extend(now);
                        now = Some(number);
                    }
                }
                Move::Stop => {
                    let stop = Change::SetTraffic { model: heartbeat(), traffic: Traffic::default() };
                    change(&mut state, "ana", stop).unwrap();
                    stack.extend(now.take());
                }
                Move::RollBack => {
                    let done = change(&mut state, "ana", Change::RollBack { model: heartbeat() });
                    prop_assert_eq!(done.is_ok(), !stack.is_empty());
                    now = stack.pop().or(now);
                }
                Move::Retire(number) | Move::Delete(number) => {
                    let (model, version) = (heartbeat(), version(number));
                    let asked = match step {
                        Move::Retire(_) => Change::Retire { model, version },
                        _ => Change::DeleteVersion { model, version },
                    };
                    let gone = change(&mut state, "ana", asked).is_ok();
                    if gone {
                        prop_assert_ne!(now, Some(number));
                        serves.remove(&number);
                        stack.retain(|kept| *kept != number);
                    }
                }
            }
            // Going back always changes something.
            stack.dedup();
            while now.is_some() && stack.last().copied() == now {
                stack.pop();
            }
            prop_assert_eq!(champion(&state), now.map(|now| now.to_string()));
            let model = &state.models[&heartbeat()];
            let past: Vec<_> = stack.iter().map(|number| Traffic::only(version(*number))).collect();
            prop_assert_eq!(&model.past, &past);
            for traffic in model.past.iter().chain([&model.traffic]) {
                for named in traffic.versions() {
                    prop_assert!(model.versions[named].is_ready());
                }
            }
        }
    }
}
