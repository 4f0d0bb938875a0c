//! Recordings that become others: the reference is frozen, outlives restart and journal, and what changes is told by itself.

use crate::client::Server;
use crate::packages::{numbered, rows_csv};
use crate::setup::{read, start, until};
use crate::steps::{ROW, ready};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn send(server: &Server, rows: &str, subjects: std::ops::Range<usize>) {
    for number in subjects {
        let subject = format!("subject {number}");
        let headers = [("content-type", "text/csv"), ("x-einthoven-subject", subject.as_str())];
        let answer = server.ask("POST", "/v1/classify?model=heartbeat-row", &headers, rows.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.json());
    }
}

/// The newest entry of the log of that kind, once there is one.
fn logged(server: &Server, kind: &str) -> Value {
    let end = Instant::now() + Duration::from_secs(120);
    loop {
        let audit = server.get("/v1/audit?limit=20").json();
        let mut items = audit["items"].as_array().unwrap().iter();
        if let Some(found) = items.find(|item| item["event"]["kind"] == kind) {
            return found.clone();
        }
        assert!(Instant::now() < end, "no {kind} in {audit}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_reference_is_kept_and_what_is_not_like_it_raises_an_alarm() {
    let data = tempfile::tempdir().unwrap();
    let options = ["--guard-every-s", "1"];
    let server = Server::start_in(data.path(), &options);
    ready(&server, ROW, "2", &numbered(2));
    let rails = json!({"p99": null});
    start(
        &server,
        &json!({"name": "drifts", "model": ROW, "shadows": [{"version": "2", "percent": 1}], "rules": {"rails": rails}}),
    );
    let rows = rows_csv();
    send(&server, &rows, 0..99);
    assert_eq!(read(&server, "drifts")["references"], json!({}));
    let too_few = json!({"recordings": 100});
    let path = "/v1/experiments/drifts/drift/reference";
    let said = server.json("POST", path, &[], &too_few).problem(422, "bad_field");
    // Some of them may not be written yet.
    assert!(said.contains("fewer than 100"), "{said}");
    send(&server, &rows, 99..100);
    let frozen = until(&server, "drifts", |experiment| {
        experiment["references"]["1.0.0"].is_object()
    });
    let frozen = frozen["references"]["1.0.0"].clone();
    assert_eq!(
        (&frozen["recordings"], &frozen["by"]),
        (&json!(100), &json!("einthoven"))
    );
    let event = logged(&server, "reference_frozen");
    assert_eq!(event["event"]["reference"]["sha256"], frozen["sha256"]);

    // Neither a restart nor the end of the journal takes it away.
    assert_eq!(server.terminate(), Some(0));
    std::fs::remove_dir_all(data.path().join("journal")).unwrap();
    let server = Server::start_in(data.path(), &options);
    let report = read(&server, "drifts/drift");
    assert_eq!(
        (&report["frozen"], &report["window"]["recordings"]),
        (&frozen, &json!(0))
    );
    let figures = report["figures"].as_array().unwrap();
    let confidence = figures.iter().find(|figure| figure["name"] == "confidence").unwrap();
    assert_eq!(confidence["reference_recordings"], 100);

    // The first windows are like it, the next are not.
    let drifting = |name: &str| -> Option<f64> {
        let text = String::from_utf8(server.get("/metrics").bytes).unwrap();
        let series = format!("einthoven_drift_{name}{{model=\"heartbeat-row\",version=\"1.0.0\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&series)?.parse().ok())
    };
    let judged = |windows: f64| {
        let end = Instant::now() + Duration::from_secs(120);
        while drifting("windows_total") < Some(windows) {
            assert!(Instant::now() < end, "{windows} windows are not judged");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    send(&server, &rows, 100..150);
    judged(1.0);
    assert_eq!((drifting("alarm"), drifting("alarms_total")), (Some(0.0), Some(0.0)));
    let other: Vec<&str> = (0..187).map(|at| if at % 7 == 0 { "0.9" } else { "0.1" }).collect();
    send(&server, &(other.join(",") + "\n"), 150..200);
    judged(2.0);
    assert_eq!((drifting("alarm"), drifting("alarms_total")), (Some(1.0), Some(1.0)));
    let found = logged(&server, "drift_found");
    assert_eq!(
        (&found["who"], &found["event"]["version"], &found["event"]["reference"]),
        (&json!("einthoven"), &json!("1.0.0"), &frozen["sha256"])
    );
    assert!(
        found["why"]
            .as_str()
            .unwrap()
            .starts_with("Changed against the reference"),
        "{found}"
    );
    assert!(read(&server, "drifts/drift")["alarm"] == true);

    // Somebody decides that this is how recordings are now.
    let reader = server.key("reader", &["models.read"]);
    let key = [("x-api-key", reader.as_str())];
    let wanted = json!({"recordings": 50, "reason": "a new recorder"});
    assert_eq!(server.json("POST", path, &key, &wanted).status, 403);
    let replaced = server.json("POST", path, &[], &wanted);
    assert_eq!(replaced.status, 200, "{}", replaced.json());
    let now = replaced.json()["references"]["1.0.0"].clone();
    assert!(now["sha256"] != frozen["sha256"] && now["recordings"] == 50, "{now}");
    let event = logged(&server, "reference_frozen");
    assert_eq!(
        (&event["event"]["replaces"], &event["why"]),
        (&frozen["sha256"], &json!("a new recorder"))
    );
    assert_eq!(read(&server, "drifts/drift")["frozen"], now);
}
