//! Two servers' registries on one real PostgreSQL.

use crate::postgres::Server;
use crate::setup::{add, change, model, promote};
use einthoven_registry::{ChangeError, Registry};
use einthoven_registry_log::{Log, PostgresLog};
use einthoven_registry_state::{Change, Traffic};
use rustix::process::Signal;
use std::path::Path;
use std::time::{Duration, Instant};

async fn open(server: &Server, view: &Path) -> Registry {
    let log = Log::Postgres(PostgresLog::connect(&server.url()).await.unwrap());
    Registry::open(log, Some(view)).await.unwrap()
}

/// Waits until both know the same, and says for how long.
async fn agree(one: &Registry, two: &Registry) -> Duration {
    let start = Instant::now();
    while one.state() != two.state() {
        assert!(start.elapsed() < Duration::from_secs(20), "they do not come to agree");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    start.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_on_one_is_known_to_the_other_and_many_at_once_make_one_history() {
    let server = Server::start().await;
    let views = tempfile::tempdir().unwrap();
    let one = open(&server, &views.path().join("one")).await;
    for number in 1..=20 {
        add(&one, "heartbeat", number).await;
    }
    let two = open(&server, &views.path().join("two")).await;
    assert_eq!(one.state(), two.state());
    change(&one, "ana", promote("heartbeat", 1)).await.unwrap();
    println!("a promotion was known to the other after {:?}", agree(&one, &two).await);

    let clients: Vec<_> = (1..=20)
        .map(|number| {
            let registry = if number % 2 == 0 { one.clone() } else { two.clone() };
            tokio::spawn(
                async move { change(&registry, &format!("client {number}"), promote("heartbeat", number)).await },
            )
        })
        .collect();
    for client in clients {
        client.await.unwrap().unwrap();
    }
    agree(&one, &two).await;
    let state = one.state();
    let mut before = Traffic::default();
    for entry in &state.models[&model("heartbeat")].history {
        assert_eq!(entry.from, before);
        before = entry.to.clone();
    }
    for _ in 0..5 {
        change(
            &two,
            "ben",
            Change::RollBack {
                model: model("heartbeat"),
            },
        )
        .await
        .unwrap();
    }
    agree(&one, &two).await;
    one.log().verify(&[]).await.unwrap();

    // Whoever starts now knows the same, with a view that stood at an earlier entry and without one.
    let late = open(&server, &views.path().join("late")).await;
    assert_eq!(late.state(), one.state());
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_what_is_known_stays_and_changes_are_refused() {
    let server = Server::start().await;
    let views = tempfile::tempdir().unwrap();
    let registry = open(&server, &views.path().join("view")).await;
    add(&registry, "heartbeat", 1).await;
    change(&registry, "ana", promote("heartbeat", 1)).await.unwrap();
    let before = registry.state();
    server.signal_all(Signal::STOP);
    let refused = change(
        &registry,
        "ana",
        Change::RollBack {
            model: model("heartbeat"),
        },
    )
    .await;
    server.signal_all(Signal::CONT);
    assert!(
        matches!(refused, Err(ChangeError::Log(_) | ChangeError::Refused(_))),
        "{refused:?}"
    );
    assert_eq!(registry.state().models, before.models);
    let start = Instant::now();
    while let Err(cause) = change(
        &registry,
        "ana",
        Change::DescribeModel {
            model: model("heartbeat"),
            description: "back".to_owned(),
        },
    )
    .await
    {
        assert!(start.elapsed() < Duration::from_secs(20), "{cause}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(registry.state().models[&model("heartbeat")].description, "back");
    registry.log().verify(&[]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_restored_to_an_earlier_moment_is_noticed() {
    let server = Server::start().await;
    let views = tempfile::tempdir().unwrap();
    let registry = open(&server, &views.path().join("view")).await;
    for number in 1..=3 {
        add(&registry, "heartbeat", number).await;
        change(&registry, "ana", promote("heartbeat", number)).await.unwrap();
    }
    let newest = registry.state().seq;
    // As after a fail-over to a server that had not heard of the last two.
    server
        .run(&format!("delete from einthoven_log where seq > {}", newest - 2))
        .await;
    change(&registry, "ben", promote("heartbeat", 1)).await.unwrap();
    let fresh = open(&server, &views.path().join("fresh")).await;
    assert_eq!(registry.state(), fresh.state());
    assert_eq!(registry.state().seq, newest - 1);
    registry.log().verify(&[]).await.unwrap();
}
