//! The log in PostgreSQL when its server or its clients die.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod support;

use einthoven_registry_log::{Log, LogError, PostgresLog};
use rustix::process::Signal;
use std::time::{Duration, Instant};
use support::{Place, Server, all, append, append_for_ever, are_whole_steps, body, is_chain, kill_after, until};

/// The longest that an append may take to say that it cannot.
const BOUND: Duration = Duration::from_secs(10);

/// Not a test: the process that [`kill_after`] kills.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by other tests, in a process of its own"]
async fn child() {
    if let Ok(url) = std::env::var("EINTHOVEN_TEST_LOG") {
        append_for_ever(Place::Database(url).open().await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_client_loses_nothing_that_it_acknowledged() {
    let server = Server::start().await;
    let log = Log::Postgres(PostgresLog::connect(&server.url()).await.unwrap());
    for round in 0..50_u64 {
        let url = server.url();
        let delay = Duration::from_micros(round * 97 % 3000);
        let acknowledged = tokio::task::spawn_blocking(move || kill_after(&url, 2, delay));
        let acknowledged = acknowledged.await.unwrap().unwrap();
        assert!(log.head().await.unwrap().seq >= acknowledged, "round {round}");
        // What the killed one had begun may still be committed: wait for the lock by appending.
        append(&log, vec![body("0 0 1")]).await;
        are_whole_steps(&all(&log).await);
    }
    log.verify(&[]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_nothing_that_it_acknowledged() {
    let mut server = Server::start().await;
    let log = Log::Postgres(PostgresLog::connect(&server.url()).await.unwrap());
    for round in 0..5 {
        let appender = {
            let log = log.clone();
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                let mut head = log.head().await.unwrap();
                loop {
                    let text = format!("{round} {}", acknowledged.len());
                    let begun = Instant::now();
                    match log.append(head, vec![body(&text), body(&text)]).await {
                        Ok(entries) => {
                            head = entries[1].head();
                            acknowledged.extend(entries);
                        }
                        Err(cause) => {
                            assert!(begun.elapsed() < BOUND);
                            return (acknowledged, cause);
                        }
                    }
                }
            })
        };
        tokio::time::sleep(Duration::from_millis(150 + 30 * round)).await;
        server.kill();
        let (acknowledged, cause) = appender.await.unwrap();
        assert!(
            matches!(cause, LogError::Unavailable { .. } | LogError::Unknown { .. }),
            "{cause}"
        );
        assert!(!acknowledged.is_empty());
        server.restart().await;
        until("the log's return", || async { log.head().await.is_ok() }).await;
        let entries = all(&log).await;
        is_chain(&entries);
        let first = usize::try_from(acknowledged[0].seq).unwrap() - 1;
        assert_eq!(entries[first..first + acknowledged.len()], acknowledged);
        assert!(
            entries.len() - first - acknowledged.len() <= 2,
            "at most the step in doubt is there too"
        );
        assert_eq!(entries.len() % 2, 0, "no half step");
        append(&log, vec![body("after"), body("after")]).await;
    }
    log.verify(&[]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_said_quickly_and_ends_by_itself() {
    let mut server = Server::start().await;
    let log = Log::Postgres(PostgresLog::connect(&server.url()).await.unwrap());
    let other = Log::Postgres(PostgresLog::connect(&server.url()).await.unwrap());
    let head = append(&log, vec![body("before")]).await[0].head();
    let heard = other.watch();

    // It hangs: connections stay open and nobody answers.
    server.signal_all(Signal::STOP);
    let begun = Instant::now();
    let refused = log.append(head, vec![body("hangs")]).await;
    assert!(matches!(refused, Err(LogError::Unavailable { .. })), "{refused:?}");
    assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
    server.signal_all(Signal::CONT);
    until("the log's return", || async { log.head().await.is_ok() }).await;
    let head = append(&log, vec![body("between")]).await[0].head();
    until("hearing of it", || async { *heard.borrow() == head.seq }).await;

    // It is gone: nobody takes connections.
    server.kill();
    let begun = Instant::now();
    let refused = log.append(head, vec![body("gone")]).await;
    assert!(matches!(refused, Err(LogError::Unavailable { .. })), "{refused:?}");
    assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
    server.restart().await;
    until("the log's return", || async { log.head().await.is_ok() }).await;
    let head = append(&log, vec![body("after")]).await[0].head();
    until("hearing of it", || async { *heard.borrow() == head.seq }).await;
    let texts: Vec<String> = all(&log).await.into_iter().map(|entry| entry.body).collect();
    assert_eq!(texts, [body("before"), body("between"), body("after")]);
}
