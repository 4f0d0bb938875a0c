//! A process that promotes and rolls back is killed again and again; what it was told had happened is there.

use crate::postgres::Server;
use crate::setup::{add, change, close, model, open, promote};
use einthoven_registry::Registry;
use einthoven_registry_log::{Log, PostgresLog};
use einthoven_registry_state::Change;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const KILLS: u64 = 200;
/// Where the killed process keeps its log: a folder, or the address of a database and a folder for the view.
const FOLDER: &str = "EINTHOVEN_CRASH_FOLDER";
const DATABASE: &str = "EINTHOVEN_CRASH_DATABASE";

async fn opened(folder: &Path, database: Option<&str>) -> Registry {
    let Some(url) = database else {
        return open(folder).await;
    };
    let log = Log::Postgres(PostgresLog::connect(url).await.unwrap());
    Registry::open(log, Some(&folder.join("view"))).await.unwrap()
}

/// Not a test of its own: what the killed process runs.
#[tokio::test]
#[ignore = "run by the test below in a process that it kills"]
async fn changes_without_end() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let database = std::env::var(DATABASE).ok();
    let registry = opened(folder.as_ref(), database.as_deref()).await;
    let mut number = usize::try_from(registry.state().seq).unwrap();
    loop {
        number += 1;
        let asked = if number.is_multiple_of(3) {
            Change::RollBack {
                model: model("heartbeat"),
            }
        } else {
            promote("heartbeat", number % 5 + 1)
        };
        if let Ok(done) = change(&registry, "crash", asked).await {
            let champion = done.state.models[&model("heartbeat")].traffic.champion.clone().unwrap();
            println!("acknowledged {} {champion}", done.state.seq);
        }
    }
}

#[tokio::test]
async fn killed_two_hundred_times_nothing_acknowledged_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    killed(folder.path(), None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_two_hundred_times_on_postgresql_nothing_acknowledged_is_lost() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    killed(folder.path(), Some(&server.url())).await;
}

async fn killed(folder: &Path, database: Option<&str>) {
    let registry = opened(folder, database).await;
    for number in 1..=5 {
        add(&registry, "heartbeat", number).await;
    }
    if database.is_none() {
        close(registry, folder).await;
    }
    let mut acknowledged = 0;
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "crashes::changes_without_end", "--nocapture"])
            .env(FOLDER, folder)
            .envs(database.map(|url| (DATABASE, url)))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let pid = child.id();
        // By turns while it starts and while it changes, so that a slow machine sees both.
        let (first, changing) = std::sync::mpsc::channel();
        let killer = std::thread::spawn(move || {
            if kill % 2 == 0 {
                changing.recv_timeout(Duration::from_secs(60)).unwrap();
            }
            std::thread::sleep(Duration::from_millis(10 + kill % 40));
            child.kill().unwrap();
            child.wait().unwrap();
        });
        let mut last = None;
        for line in lines.map_while(Result::ok) {
            if let Some((seq, champion)) = line.strip_prefix("acknowledged ").and_then(|rest| rest.split_once(' ')) {
                last = Some((seq.parse::<u64>().unwrap(), champion.to_owned()));
                // The killer may have left already.
                let _ = first.send(());
            }
        }
        killer.join().unwrap();
        let registry = opened(folder, database).await;
        registry.log().verify(&[]).await.unwrap();
        let state = registry.state();
        if let Some((seq, champion)) = last {
            acknowledged = acknowledged.max(seq);
            assert!(
                state.seq >= seq,
                "process {pid} acknowledged {seq}, the log has {}",
                state.seq
            );
            if state.seq == seq {
                let now = state.models[&model("heartbeat")]
                    .traffic
                    .champion
                    .as_ref()
                    .unwrap()
                    .to_string();
                assert_eq!(now, champion);
            }
        }
        assert!(state.seq >= acknowledged);
        if database.is_none() {
            close(registry, folder).await;
        }
    }
}
