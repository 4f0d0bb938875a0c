//! Killed in the middle: nothing that was answered is missing.

use crate::client::Server;
use crate::records::{named, pages, send};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Answers before each kill.
const ANSWERS: usize = 12;

/// Kills; `EINTHOVEN_KILLS=100` for as many as are promised, for which a short check has no time.
fn kills() -> usize {
    std::env::var("EINTHOVEN_KILLS").map_or(5, |text| text.parse().unwrap())
}

#[test]
fn what_was_answered_in_audit_is_there_after_every_kill() {
    let folder = tempfile::tempdir().unwrap();
    let answered = Mutex::new(BTreeSet::new());
    let kills = kills();
    for _ in 0..kills {
        let server = Server::start_in(folder.path(), &["--journal", "audit"]);
        let number = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    // Until the kill, which breaks off whatever is under way.
                    while let Ok(answer) = row(&server) {
                        if answer.status != 200 {
                            break;
                        }
                        let new = answered.lock().unwrap().insert(named(&answer.json()));
                        assert!(new);
                        if number.fetch_add(1, Ordering::Relaxed) + 1 == ANSWERS {
                            rustix::process::kill_process(
                                rustix::process::Pid::from_raw(i32::try_from(server.id()).unwrap()).unwrap(),
                                rustix::process::Signal::KILL,
                            )
                            .unwrap();
                        }
                    }
                });
            }
        });
    }
    let server = Server::start_in(folder.path(), &["--journal", "audit"]);
    let answered = answered.into_inner().unwrap();
    println!("{} answers before {kills} kills", answered.len());
    assert!(answered.len() >= kills * ANSWERS);
    let there: BTreeSet<_> = pages(&server, "/v1/predictions", 20)
        .iter()
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect();
    let missing: Vec<_> = answered.difference(&there).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(server.get("/v1/journal").json()["damaged_places"], 0);
    // And it goes on.
    assert_eq!(send(&server, "/v1/classify", "100x", None).status, 200);
}

fn row(server: &Server) -> Result<crate::client::Answer, ureq::Error> {
    let row = format!("{}\n", vec!["0.5"; 187].join(","));
    let headers = [("content-type", "text/csv")];
    server.try_ask("POST", "/v1/classify?name=beats.csv", &headers, row.as_bytes())
}
