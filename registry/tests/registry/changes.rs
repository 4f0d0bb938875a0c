//! Many at once.

use crate::setup::{add, change, model, open, promote, version};
use einthoven_registry::{Asked, ChangeError};
use einthoven_registry_state::{Refusal, Traffic};

const CLIENTS: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_clients_at_once_make_one_linear_history() {
    let folder = tempfile::tempdir().unwrap();
    let registry = open(folder.path()).await;
    for number in 1..=CLIENTS {
        add(&registry, "heartbeat", number).await;
    }
    let clients: Vec<_> = (1..=CLIENTS)
        .map(|number| {
            let registry = registry.clone();
            tokio::spawn(
                async move { change(&registry, &format!("client {number}"), promote("heartbeat", number)).await },
            )
        })
        .collect();
    for client in clients {
        client.await.unwrap().unwrap();
    }
    let state = registry.state();
    let history = &state.models[&model("heartbeat")].history;
    assert_eq!(history.len(), CLIENTS);
    let mut before = Traffic::default();
    for (index, entry) in history.iter().enumerate() {
        assert_eq!(entry.from, before, "entry {index}");
        let champion = entry.to.champion.as_ref().unwrap();
        assert_eq!(entry.who, format!("client {champion}"));
        before = entry.to.clone();
    }
    assert_eq!(state.models[&model("heartbeat")].traffic, before);
    registry.log().verify(&[]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_those_who_decided_on_the_same_state_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let registry = open(folder.path()).await;
    for number in 1..=CLIENTS {
        add(&registry, "heartbeat", number).await;
    }
    let seen = registry.state().models[&model("heartbeat")].revision;
    let clients: Vec<_> = (1..=CLIENTS)
        .map(|number| {
            let registry = registry.clone();
            let asked = Asked {
                who: format!("client {number}"),
                why: String::new(),
                change: promote("heartbeat", number),
                seen: Some(seen),
            };
            tokio::spawn(async move { registry.change(asked).await })
        })
        .collect();
    let mut won = 0;
    for client in clients {
        match client.await.unwrap() {
            Ok(_) => won += 1,
            Err(ChangeError::Refused(Refusal::ChangedMeanwhile { seen: said, .. })) => assert_eq!(said, seen),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(won, 1);
    assert_eq!(registry.state().models[&model("heartbeat")].history.len(), 1);
}

#[tokio::test]
async fn a_refused_change_in_a_group_leaves_its_neighbours_alone() {
    let folder = tempfile::tempdir().unwrap();
    let registry = open(folder.path()).await;
    add(&registry, "heartbeat", 1).await;
    let (good, bad) = tokio::join!(
        change(&registry, "ana", promote("heartbeat", 1)),
        change(&registry, "ben", promote("heartbeat", 2)),
    );
    assert_eq!(good.unwrap().entries.len(), 1);
    let missing = Refusal::NoSuchVersion {
        model: model("heartbeat"),
        version: version(2),
    };
    assert!(matches!(bad, Err(ChangeError::Refused(refusal)) if refusal == missing));
}
