//! A process that stores files is killed a hundred times; what it acknowledged is there, and nothing is half there.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use einthoven_registry_files::{Digest, Store};
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

mod contents;

const FOLDER: &str = "EINTHOVEN_TEST_CRASH_FOLDER";
const ROUND: &str = "EINTHOVEN_TEST_CRASH_ROUND";
const KILLS: u64 = 100;

/// The child: run by the test below, which names it and sets its folder; it does nothing otherwise.
#[test]
fn child_that_stores_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let round: u64 = std::env::var(ROUND).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let store = Store::on_disk(folder.as_ref()).unwrap();
    let writers = (0..2).map(|writer| {
        let store = store.clone();
        runtime.spawn(async move {
            for turn in 0_u64.. {
                // Contents come twice, also from both writers at once.
                let seed = round * 1000 + turn / 2;
                let length = [10, 5_000, 200_000, 1_000_000][(seed % 4) as usize];
                let stored = store.put_bytes(contents::content(seed, length)).await.unwrap();
                writeln!(std::io::stdout().lock(), "writer {writer} stored {}", stored.digest).unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        runtime.block_on(writer).unwrap();
    }
}

#[tokio::test]
async fn what_was_acknowledged_before_a_kill_is_there_and_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (mut acknowledged, mut in_vain, mut half) = (0, 0, 0);
    for round in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "child_that_stores_until_it_is_killed",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(FOLDER, folder.path())
            .env(ROUND, round.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let wanted = 1 + round % 17;
        let mut digests = HashSet::new();
        let mut seen = 0;
        for line in lines {
            let Some(digest) = line
                .unwrap()
                .split("stored ")
                .nth(1)
                .and_then(|text| text.parse::<Digest>().ok())
            else {
                continue;
            };
            digests.insert(digest);
            seen += 1;
            if seen == wanted {
                // A moment that differs from round to round, to meet each step of a write.
                std::thread::sleep(Duration::from_micros(round * 7919 % 6000));
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(seen >= wanted, "the child ended by itself in round {round}");
        let store = Store::on_disk(folder.path()).unwrap();
        for digest in &digests {
            store.local(digest).await.unwrap();
        }
        for stored in store.list().await.unwrap() {
            let path = store.local(&stored.digest).await.unwrap();
            assert_eq!(path.metadata().unwrap().len(), stored.size_bytes);
            in_vain += u32::from(!digests.contains(&stored.digest));
        }
        assert!(
            std::fs::read_dir(folder.path().join("corrupt"))
                .unwrap()
                .next()
                .is_none()
        );
        half += std::fs::read_dir(store.incoming()).unwrap().count();
        acknowledged += digests.len();
        store.collect(&HashSet::new(), Duration::ZERO).await.unwrap();
        assert!(store.list().await.unwrap().is_empty());
        assert!(std::fs::read_dir(store.incoming()).unwrap().next().is_none());
    }
    assert!(half > 10, "the kills met a write in {half} cases only");
    println!(
        "{KILLS} kills: {acknowledged} contents acknowledged, {in_vain} stored but not yet acknowledged, {half} half written"
    );
}
