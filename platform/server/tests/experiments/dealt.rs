//! Who gets which version, and what becomes of an experiment that is changed, stopped or asked for wrongly.

use crate::client::Server;
use crate::packages::{numbered, rows_csv};
use crate::setup::{answered_by, here, read, start, until};
use crate::steps::{ROW, ready};
use einthoven_experiments::split::{Share, Split};
use serde_json::json;
use std::time::{Duration, Instant};

fn split(shares: &[(&str, u16)]) -> Split {
    let share = |(arm, percent): &(&str, u16)| Share {
        arm: (*arm).to_owned(),
        basis_points: percent * 100,
    };
    Split::new(&shares.iter().map(share).collect::<Vec<_>>()).unwrap()
}

#[test]
fn subjects_are_dealt_out_as_stated_and_stay_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), &[]);
    ready(&server, ROW, "2", &numbered(2));
    let begun = json!({"name": "arms", "model": ROW, "splits": [{"version": "2", "percent": 30}], "reason": "a test"});
    let begun = start(&server, &begun);
    assert_eq!((&begun["running"], &begun["champion"]), (&json!(true), &json!("1.0.0")));
    let subjects: Vec<String> = (0..60).map(|number| format!("subject {number}")).collect();
    let layout = split(&[("2", 30)]);
    let expected: Vec<String> = subjects
        .iter()
        .map(|subject| layout.arm("arms", subject).unwrap_or("1.0.0").to_owned())
        .collect();
    let given =
        |server: &Server| -> Vec<String> { subjects.iter().map(|subject| answered_by(server, subject)).collect() };
    assert_eq!(given(&server), expected);
    let of_two = expected.iter().filter(|version| *version == "2").count();
    assert!((8..=30).contains(&of_two), "{of_two} of 60 at 30 %");
    // The journal says in which arm each was.
    let list = server
        .get("/v1/predictions?experiment=arms&version=2&limit=1000")
        .json();
    assert_eq!(list["items"].as_array().unwrap().len(), of_two);
    let here = here(&read(&server, "arms"), "2");
    assert_eq!(here["requests"], of_two);
    assert_eq!(server.terminate(), Some(0));

    let server = Server::start_in(folder.path(), &[]);
    // Loaded before it says that it is ready: nobody is moved to the champion, not even at first.
    assert_eq!(given(&server), expected);
    // A greater share takes from the champion alone.
    let seen = server.get("/v1/experiments/arms");
    let more = json!({"splits": [{"version": "2", "percent": 60}], "reason": "more"});
    let stale = server.json("PATCH", "/v1/experiments/arms", &[("if-match", "\"1\"")], &more);
    stale.problem(409, "changed_meanwhile");
    let tag = seen.etag.unwrap();
    let changed = server.json("PATCH", "/v1/experiments/arms", &[("if-match", &tag)], &more);
    assert_eq!(changed.status, 200, "{}", changed.json());
    let after = given(&server);
    let back = expected
        .iter()
        .zip(&after)
        .filter(|(before, after)| *before == "2" && *after != "2");
    assert_eq!(back.count(), 0);
    assert!(after.iter().filter(|version| *version == "2").count() > of_two);

    let stopped = server.delete("/v1/experiments/arms?reason=enough");
    assert_eq!(stopped.status, 200, "{}", stopped.json());
    let over = stopped.json();
    assert_eq!(
        (&over["running"], &over["ended"]["why"]),
        (&json!(false), &json!("enough"))
    );
    assert!(given(&server).iter().all(|version| version == "1.0.0"));
    server.delete("/v1/experiments/arms").problem(409, "experiment_ended");
    let audit = server.get("/v1/audit?limit=1").json();
    assert_eq!(audit["items"][0]["event"]["action"], "stopped");
}

#[test]
fn what_cannot_be_is_refused_in_words() {
    let server = Server::start();
    ready(&server, ROW, "2", &numbered(2));
    let post = |body: &serde_json::Value| server.json("POST", "/v1/experiments", &[], body);
    let shadows = json!([{"version": "2", "percent": 100}]);
    post(&json!({"name": "a", "model": ROW})).problem(422, "bad_traffic");
    post(&json!({"name": "a", "model": "none", "shadows": shadows})).problem(404, "no_such_model");
    let rules = json!({"settings": {"alpha": 2}});
    let said = post(&json!({"name": "a", "model": ROW, "shadows": shadows, "rules": rules})).problem(422, "bad_field");
    assert!(said.contains("alpha"), "{said}");
    let rules = json!({"rails": {"errors": -1}});
    post(&json!({"name": "a", "model": ROW, "shadows": shadows, "rules": rules})).problem(422, "bad_field");
    server.get("/v1/experiments/a").problem(404, "no_such_experiment");
    server
        .get("/v1/experiments/a/verdict")
        .problem(404, "no_such_experiment");
    start(&server, &json!({"name": "a", "model": ROW, "shadows": shadows}));
    post(&json!({"name": "b", "model": ROW, "shadows": shadows})).problem(409, "experiment_runs");
    server
        .get("/v1/experiments/a/verdict?challenger=7")
        .problem(422, "bad_field");
    // Whoever may not see the model sees no experiment, and who may only see it changes none.
    let other = server.key("other", &["models.read:heartbeat"]);
    let other = [("x-api-key", other.as_str())];
    assert_eq!(
        server.ask("GET", "/v1/experiments", &other, b"").json()["items"],
        json!([])
    );
    server
        .ask("GET", "/v1/experiments/a", &other, b"")
        .problem(404, "no_such_experiment");
    let reader = server.key("reader", &["models.read"]);
    let refused = server.ask("DELETE", "/v1/experiments/a", &[("x-api-key", &reader)], b"");
    assert_eq!(refused.status, 403, "{}", refused.json());
    // Who changes one is told how it stands, so that needs reading too.
    let blind = server.key("blind", &["traffic"]);
    let blind = [("x-api-key", blind.as_str())];
    let refused = server.json("PATCH", "/v1/experiments/a", &blind, &json!({"shadows": shadows}));
    refused.problem(404, "no_such_experiment");
    let refused = server.ask("DELETE", "/v1/experiments/a", &blind, b"");
    refused.problem(404, "no_such_experiment");
    // Without a journal there is nothing to compare.
    let server = Server::start_with(&["--journal", "off"]);
    let body = json!({"name": "a", "model": ROW, "shadows": [{"version": "1.0.0", "percent": 1}]});
    server
        .json("POST", "/v1/experiments", &[], &body)
        .problem(404, "no_journal");
}

#[test]
fn jobs_are_dealt_out_like_requests_and_shadows_compute_beside_them() {
    let server = Server::start();
    ready(&server, ROW, "2", &numbered(2));
    ready(&server, ROW, "3", &numbered(3));
    let shadows = json!([{"version": "3", "percent": 100}]);
    let splits = json!([{"version": "2", "percent": 50}]);
    start(
        &server,
        &json!({"name": "jobs", "model": ROW, "splits": splits, "shadows": shadows}),
    );
    let layout = split(&[("2", 50)]);
    let subjects: Vec<String> = (0..12).map(|number| format!("subject {number}")).collect();
    let made = |subject: &str, query: &str| {
        let headers = [("content-type", "text/csv"), ("x-einthoven-subject", subject)];
        let path = format!("/v1/classify?model={query}&wait=false");
        let made = server.ask("POST", &path, &headers, rows_csv().as_bytes());
        assert_eq!(made.status, 202, "{}", made.json());
        made.location.unwrap()
    };
    let result = |path: &str| {
        let end = Instant::now() + Duration::from_secs(120);
        while matches!(server.get(path).json()["state"].as_str(), Some("queued" | "running")) {
            assert!(Instant::now() < end, "{path} does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
        let result = server.get(&format!("{path}/result"));
        assert_eq!(result.status, 200, "{}", result.json());
        result.json()
    };
    let entry = |answer: &serde_json::Value| {
        let id = answer["prediction"].as_str().unwrap();
        server.get(&format!("/v1/predictions/{id}")).json()
    };
    let jobs: Vec<String> = subjects.iter().map(|subject| made(subject, ROW)).collect();
    let mut of_two = 0;
    for (subject, path) in subjects.iter().zip(&jobs) {
        let answer = result(path);
        let arm = layout.arm("jobs", subject).unwrap_or("1.0.0");
        assert_eq!(answer["model"]["version"], arm, "{subject}");
        let entry = entry(&answer);
        assert_eq!(
            (&entry["arm"]["experiment"], &entry["arm"]["arm"]),
            (&json!("jobs"), &json!(arm))
        );
        of_two += usize::from(arm == "2");
    }
    assert!((1..subjects.len()).contains(&of_two), "{of_two}");
    let seen = until(&server, "jobs", |experiment| {
        here(experiment, "3")["requests"] == subjects.len()
    });
    assert_eq!(here(&seen, "2")["requests"], of_two);
    assert_eq!(here(&seen, "1.0.0")["requests"], subjects.len() - of_two);
    // Who names a version is in no arm.
    let named = result(&made("subject 1", "heartbeat-row/3"));
    assert_eq!(named["model"]["version"], "3");
    assert_eq!(entry(&named)["arm"], serde_json::Value::Null);
}
