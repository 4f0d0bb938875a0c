//! A process that records in the mode audit is killed again and again; everything that it was told is on disk is there.

use crate::setup::{all, entry, open};
use einthoven_journal::labels::{Label, Mark, Source, Truth};
use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use uuid::Uuid;

const KILLS: u64 = 100;
const FOLDER: &str = "EINTHOVEN_JOURNAL_CRASH_FOLDER";

/// Not a test of its own: what the killed process runs.
#[test]
#[ignore = "run by the test below in a process that it kills"]
fn records_without_end() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let journal = open(folder.as_ref());
    std::thread::scope(|scope| {
        for caller in 0..8 {
            let journal = &journal;
            scope.spawn(move || {
                for number in 0.. {
                    let entry = entry(number * 8 + caller, (number % 50) as usize);
                    let (id, at) = (entry.id, entry.beats.at.first().copied());
                    journal.record_blocking(entry).unwrap();
                    println!("answered {id}");
                    if let (true, Some(at)) = (number % 5 == 0, at) {
                        let label = Label {
                            prediction: id,
                            reader: "ana".into(),
                            at: jiff::Timestamp::now(),
                            key: "k".into(),
                            why: String::new(),
                            source: Source::Api,
                            adjudication: false,
                            marks: vec![Mark {
                                at,
                                truth: Truth::NotABeat,
                            }],
                        };
                        journal.label(label).unwrap();
                        println!("labelled {id}");
                    }
                }
            });
        }
    });
}

#[test]
fn killed_a_hundred_times_nothing_answered_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let (mut answered, mut labelled) = (HashSet::new(), HashSet::new());
    for kill in 0..KILLS {
        run_and_kill(folder.path(), kill, &mut answered, &mut labelled);
        if kill % 10 == 9 {
            check(folder.path(), &answered, &labelled);
        }
    }
    assert!(answered.len() > 50 && !labelled.is_empty());
}

fn run_and_kill(folder: &Path, kill: u64, answered: &mut HashSet<Uuid>, labelled: &mut HashSet<Uuid>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "crashes::records_without_end", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // By turns while it starts and while it records, so that a slow machine sees both.
    let (first, recording) = std::sync::mpsc::channel();
    let killer = std::thread::spawn(move || {
        if kill.is_multiple_of(2) {
            recording.recv_timeout(Duration::from_secs(60)).unwrap();
        }
        std::thread::sleep(Duration::from_millis(3 + kill % 30));
        child.kill().unwrap();
        child.wait().unwrap();
    });
    for line in lines.map_while(Result::ok) {
        // Eight callers print; a line that the kill cut is no acknowledgement that anybody saw.
        let mut words = line.split(' ');
        let (Some(what), Some(Ok(id))) = (words.next(), words.next().map(Uuid::parse_str)) else {
            continue;
        };
        match what {
            "answered" => answered.insert(id),
            "labelled" => labelled.insert(id),
            _ => continue,
        };
        // The killer may have left already.
        let _ = first.send(());
    }
    killer.join().unwrap();
}

fn check(folder: &Path, answered: &HashSet<Uuid>, labelled: &HashSet<Uuid>) {
    let journal = open(folder);
    let there: Vec<Uuid> = all(&journal).into_iter().map(|entry| entry.id).collect();
    let once: HashSet<Uuid> = there.iter().copied().collect();
    assert_eq!(once.len(), there.len(), "an entry is there twice");
    let missing: Vec<_> = answered.difference(&once).collect();
    assert!(
        missing.is_empty(),
        "{} of {} answered are missing",
        missing.len(),
        answered.len()
    );
    for id in labelled {
        assert_eq!(journal.labels().of(*id).unwrap().len(), 1);
    }
    assert!(journal.damage().is_empty());
    journal.close();
}
