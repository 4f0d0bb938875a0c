//! A job gives what a request would have given, also after the server was killed in the middle of it.

use crate::client::{Server, borrowed, csv, record_100};
use serde_json::json;
use std::time::{Duration, Instant};

fn ended(server: &Server, path: &str) -> serde_json::Value {
    let until = Instant::now() + Duration::from_secs(120);
    loop {
        let job = server.get(path).json();
        if !matches!(job["state"].as_str(), Some("queued" | "running")) {
            return job;
        }
        assert!(Instant::now() < until, "{job}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// An answer without the name of its entry in the journal, which differs every time.
fn unnamed(mut answer: serde_json::Value) -> serde_json::Value {
    let name = answer.as_object_mut().unwrap().remove("prediction");
    assert!(name.is_some_and(|name| name.is_string()));
    answer
}

/// A job that runs, cancelled; `None` where it had ended before that.
fn cancelled(server: &Server, body: &[u8]) -> Option<String> {
    let made = server.post("/v1/classify?wait=false&name=a.csv", "text/csv", body);
    let path = made.location.unwrap();
    let state = || server.get(&path).json()["state"].clone();
    while state() == "queued" {
        std::thread::sleep(Duration::from_millis(1));
    }
    let deleted = state() == "running" && server.delete(&path).status == 204;
    // One that had ended is gone by that.
    (deleted && server.get(&path).status == 200).then_some(path)
}

#[test]
fn a_job_is_cancelled_while_it_runs() {
    let server = Server::start();
    // Twenty minutes: it takes far longer than asking how it is.
    let body = csv(1200, 250, 1.0);
    let path = (0..10).find_map(|_| cancelled(&server, body.as_bytes())).unwrap();
    let job = server.get(&path).json();
    assert_eq!(
        (&job["state"], &job["attempts"]),
        (&json!("cancelled"), &json!(1)),
        "{job}"
    );
    server.get(&format!("{path}/result")).problem(409, "cancelled");
    let events = String::from_utf8(server.get(&format!("{path}/events")).bytes).unwrap();
    assert!(
        events.contains("\"cancelled\"") && !events.contains("\"done\""),
        "{events}"
    );
    // Its place is free, and cancelled it stays.
    let next = server.form("/v1/classify?wait=false", &borrowed(&record_100()), &[]);
    assert_eq!(ended(&server, &next.location.unwrap())["state"], "done");
    assert_eq!(server.get(&path).json()["state"], "cancelled");
    assert_eq!(server.delete(&path).status, 204);
    server.get(&path).problem(404, "no_such_job");
}

#[test]
fn a_killed_server_does_its_jobs_after_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), &[]);
    let files = record_100();
    let expected = server.form("/v1/classify", &borrowed(&files), &[]);
    assert_eq!(expected.status, 200);
    let made: Vec<String> = (0..6)
        .map(|_| {
            let made = server.form("/v1/classify?wait=false", &borrowed(&files), &[]);
            assert_eq!(made.status, 202, "{}", made.json());
            made.location.unwrap()
        })
        .collect();
    // Dropped, it is killed.
    drop(server);
    let server = Server::start_in(folder.path(), &[]);
    for path in &made {
        assert_eq!(ended(&server, path)["state"], "done");
        let result = server.get(&format!("{path}/result"));
        assert_eq!(unnamed(result.json()), unnamed(expected.json()));
        let events = String::from_utf8(server.get(&format!("{path}/events")).bytes).unwrap();
        assert!(
            events.contains("event: state") && events.contains("\"done\""),
            "{events}"
        );
    }
    let key = server.key("other", &["predict"]);
    let other = server.ask("GET", &made[0], &[("x-api-key", &key)], b"");
    other.problem(404, "no_such_job");
    let refused = server.post("/v1/classify?wait=false&name=a.csv", "text/csv", b"");
    assert!((400..500).contains(&refused.status));
}
