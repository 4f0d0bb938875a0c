//! Challengers that really fail, by an engine of their own: what that costs the others, and what it costs them.

use crate::client::Server;
use crate::engine::sealed;
use crate::packages::{Package, numbered, row_file};
use crate::setup::{answered_by, here, read, start, until};
use crate::steps::{ROW, ready};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// A model of rows that fails in this way.
fn failing(fault: &str, isolation: &str) -> Package {
    let mut manifest: Value = serde_json::from_slice(&row_file("manifest.json")).unwrap();
    manifest["engine"] = json!("faulty-c");
    manifest["isolation"] = json!(isolation);
    manifest["warm_up_rows"] = json!([1]);
    let golden = json!({
        "inputs": {"row": {"dims": [1, 1, 187], "values": vec![0.5; 187]}},
        "outputs": {"probabilities": {"dims": [1, 5], "values": [0.96, 0.01, 0.01, 0.01, 0.01]}},
        "tolerance": 1e-3,
    });
    Package::from([
        ("manifest.json".to_owned(), manifest.to_string().into()),
        ("golden.json".to_owned(), golden.to_string().into()),
        ("model.faulty".to_owned(), fault.into()),
    ])
}

/// A server with that engine; none where there is no compiler.
fn server(folder: &Path, mark: &Path, arguments: &[&str]) -> Option<Server> {
    let plugins = folder.join("plugins");
    fs::create_dir(&plugins).unwrap();
    if !sealed("experiments/faulty.c", &plugins, mark) {
        return None;
    }
    let plugins = plugins.to_string_lossy();
    Some(Server::start_with(&[&["--plugins", &plugins], arguments].concat()))
}

#[test]
fn a_shadow_that_sleeps_crashes_or_fills_its_memory_costs_the_champion_nothing() {
    const REQUESTS: u64 = 45;
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("mark");
    let Some(server) = server(folder.path(), &mark, &[]) else {
        return;
    };
    let faults = ["sleep", "crash", "memory"];
    for fault in faults {
        ready(&server, ROW, fault, &failing(fault, "worker"));
    }
    // And one that lives in the server itself.
    ready(&server, ROW, "refuse", &failing("refuse", "in-process"));
    let shadows: Vec<_> = faults
        .iter()
        .chain(&["refuse"])
        .map(|name| json!({"version": name, "percent": 100}))
        .collect();
    let rails = json!({"errors": null, "p99": null, "class_shares": null, "empty": null});
    start(
        &server,
        &json!({"name": "faulty", "model": ROW, "shadows": shadows, "rules": {"rails": rails}}),
    );
    fs::write(&mark, b"").unwrap();
    for number in 0..REQUESTS {
        assert_eq!(answered_by(&server, &format!("subject {number}")), "1.0.0");
    }
    let seen = read(&server, "faulty");
    let champion = here(&seen, "1.0.0");
    assert_eq!(
        (&champion["requests"], &champion["errors"]),
        (&json!(REQUESTS), &json!(0))
    );
    // One is asleep and some wait for it; the rest is left out, and all of it is counted.
    let asleep = here(&seen, "sleep");
    assert!(asleep["dropped"].as_u64().unwrap() >= REQUESTS - 33 - 5, "{asleep}");
    for fault in ["crash", "memory", "refuse"] {
        until(&server, "faulty", |experiment| {
            here(experiment, fault)["errors"].as_u64() > Some(0)
        });
        until(&server, "faulty", |experiment| here(experiment, fault)["waiting"] == 0);
        let seen = here(&read(&server, "faulty"), fault);
        let counted = ["requests", "dropped"].map(|name| seen[name].as_u64().unwrap());
        assert_eq!(counted.iter().sum::<u64>(), REQUESTS, "{seen}");
    }
    for number in 0..10 {
        assert_eq!(answered_by(&server, &format!("later {number}")), "1.0.0");
    }
}

#[test]
fn a_challenger_that_comes_back_is_judged_by_what_it_does_then() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("mark");
    let Some(server) = server(folder.path(), &mark, &["--guard-every-s", "1"]) else {
        return;
    };
    ready(&server, ROW, "2", &failing("refuse", "in-process"));
    ready(&server, ROW, "3", &numbered(3));
    let shadows = json!([{"version": "2", "percent": 100}, {"version": "3", "percent": 100}]);
    let rails = json!({"least_requests": 20, "cool_down_s": 0, "p99": null, "class_shares": null});
    start(
        &server,
        &json!({"name": "back", "model": ROW, "shadows": shadows, "rules": {"rails": rails}}),
    );
    let ask = |requests: usize| {
        for number in 0..requests {
            answered_by(&server, &format!("subject {number}"));
        }
    };
    fs::write(&mark, b"").unwrap();
    ask(25);
    let gone = until(&server, "back", |experiment| {
        experiment["withdrawn"].as_array().is_some_and(|all| all.len() == 1)
    });
    assert_eq!(gone["withdrawn"][0]["broken"][0]["rail"], "errors", "{gone}");
    assert_eq!(gone["running"], true);
    until(&server, "back", |experiment| here(experiment, "3")["waiting"] == 0);

    fs::remove_file(&mark).unwrap();
    let back = server.json(
        "PATCH",
        "/v1/experiments/back",
        &[],
        &json!({"shadows": shadows, "reason": "repaired"}),
    );
    assert_eq!(back.status, 200, "{}", back.json());
    assert_eq!(here(&back.json(), "2")["requests"], 0);
    // The other one took part all the time.
    assert!(here(&back.json(), "3")["requests"].as_u64().unwrap() > 0);
    ask(25);
    let seen = until(&server, "back", |experiment| here(experiment, "2")["requests"] == 25);
    let first = here(&seen, "2")["looked_at"].clone();
    // Looked at twice since, and it is still there.
    let second = until(&server, "back", |experiment| {
        here(experiment, "3")["looked_at"] != first
    });
    let second = here(&second, "3")["looked_at"].clone();
    let seen = until(&server, "back", |experiment| {
        here(experiment, "3")["looked_at"] != second
    });
    assert_eq!(seen["withdrawn"].as_array().unwrap().len(), 1, "{seen}");
    assert_eq!(
        (&here(&seen, "2")["errors"], &here(&seen, "2")["broken"]),
        (&json!(0), &json!([]))
    );
}

#[test]
fn a_challenger_that_hangs_is_given_up_and_withdrawn() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("mark");
    let bounds = ["--guard-every-s", "1", "--challenger-within-s", "1"];
    let Some(server) = server(folder.path(), &mark, &bounds) else {
        return;
    };
    ready(&server, ROW, "sleep", &failing("sleep", "worker"));
    let splits = json!([{"version": "sleep", "percent": 100}]);
    start(&server, &json!({"name": "hangs", "model": ROW, "splits": splits}));
    fs::write(&mark, b"").unwrap();
    // Nobody says how long they wait, and nobody waits for ever.
    let rows = crate::packages::rows_csv();
    let end = std::time::Instant::now() + std::time::Duration::from_secs(120);
    let mut hung = 0;
    for number in 0.. {
        let subject = format!("subject {number}");
        let headers = [("content-type", "text/csv"), ("x-einthoven-subject", subject.as_str())];
        let answer = server.ask("POST", "/v1/classify?model=heartbeat-row", &headers, rows.as_bytes());
        hung += u32::from(answer.status == 504);
        if answer.status == 200 {
            assert_eq!(answer.json()["model"]["version"], "1.0.0");
            break;
        }
        assert!(std::time::Instant::now() < end, "it is never withdrawn");
    }
    assert!(hung > 0);
    let over = until(&server, "hangs", |experiment| experiment["running"] == false);
    let broken = &over["withdrawn"][0]["broken"][0];
    assert_eq!(broken["rail"], "errors", "{over}");
}

#[test]
fn a_challenger_that_is_late_or_refuses_finds_nothing_of_a_sentinel_set() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("mark");
    let bounds = [
        "--keep-recordings",
        "--guard-every-s",
        "3600",
        "--challenger-within-s",
        "1",
    ];
    let Some(server) = server(folder.path(), &mark, &bounds) else {
        return;
    };
    // They load, as a row alone is no trouble to them.
    ready(&server, ROW, "late", &failing("late", "worker"));
    ready(&server, ROW, "shy", &failing("shy", "in-process"));
    let headers = [("content-type", "text/csv"), ("x-einthoven-subject", "of the set")];
    let rows = crate::packages::rows_csv();
    let answer = server.ask("POST", "/v1/classify?model=heartbeat-row", &headers, rows.as_bytes());
    let answer = answer.json();
    let id = answer["prediction"].as_str().unwrap().to_owned();
    let marks: Vec<Value> = answer["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| json!({"at": row["row"], "is": "class", "class": row["class"]}))
        .collect();
    let said = server.json(
        "POST",
        &format!("/v1/predictions/{id}/labels"),
        &[],
        &json!({"marks": marks}),
    );
    assert_eq!(said.status, 201, "{}", said.json());
    fs::write(&mark, b"").unwrap();
    let shadows = json!([{"version": "late", "percent": 1}, {"version": "shy", "percent": 1}]);
    start(
        &server,
        &json!({"name": "watched", "model": ROW, "shadows": shadows, "rules": {"sentinel": [id]}}),
    );
    let over = until(&server, "watched", |experiment| experiment["running"] == false);
    let withdrawn = over["withdrawn"].as_array().unwrap();
    assert_eq!(withdrawn.len(), 2, "{over}");
    for one in withdrawn {
        let broken = &one["broken"][0];
        assert_eq!(
            (&broken["rail"], broken["seen"].as_f64()),
            (&json!("sentinel_misses"), Some(marks.len() as f64)),
            "{one}"
        );
    }
}

/// Between the moment at which a change is decided on and the one at which it is made, a challenger that it names is withdrawn.
#[test]
fn a_change_that_was_decided_on_before_a_withdrawal_brings_nobody_back() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("mark");
    let Some(server) = server(folder.path(), &mark, &["--guard-every-s", "1"]) else {
        return;
    };
    ready(&server, ROW, "bad", &failing("refuse", "in-process"));
    ready(&server, ROW, "slow", &failing("slow", "in-process"));
    ready(&server, ROW, "3", &numbered(3));
    let shadow = |version: &str| json!({"version": version, "percent": 100});
    let rails = json!({"p99": null, "class_shares": null, "withheld": null});
    start(
        &server,
        &json!({"name": "race", "model": ROW, "shadows": [shadow("bad"), shadow("3")], "rules": {"rails": rails}}),
    );
    let load = folder.path().join("mark.load");
    fs::write(&load, b"").unwrap();
    std::thread::scope(|scope| {
        let change = scope.spawn(|| {
            let shadows = json!([shadow("bad"), shadow("3"), shadow("slow")]);
            server.json("PATCH", "/v1/experiments/race", &[], &json!({"shadows": shadows}))
        });
        fs::write(&mark, b"").unwrap();
        for number in 0..20 {
            answered_by(&server, &format!("subject {number}"));
        }
        until(&server, "race", |experiment| {
            experiment["withdrawn"].as_array().is_some_and(|all| all.len() == 1)
        });
        assert!(!change.is_finished(), "it did not wait for the load");
        fs::remove_file(&load).unwrap();
        change.join().unwrap().problem(409, "cooling");
    });
    let shadows = read(&server, "race")["shadows"].clone();
    assert_eq!(shadows.as_array().unwrap().len(), 1, "{shadows}");
    assert_eq!(shadows[0]["version"], "3");
}
