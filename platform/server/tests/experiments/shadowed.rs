//! A shadow that hangs or is killed costs whoever answers nothing.

use crate::client::Server;
use crate::packages::with;
use crate::setup::{answered_by, here, read, start, until};
use crate::steps::{ROW, ready};
use serde_json::json;
use std::path::Path;
use std::process::Command;

/// The child that an isolated version lives in.
fn workers(server: &Server) -> Vec<u32> {
    let parent = format!("PPid:\t{}", server.id());
    let is_child = |folder: &Path| {
        let status = std::fs::read_to_string(folder.join("status")).unwrap_or_default();
        status.lines().any(|line| line == parent)
    };
    let all = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let path = entry.unwrap().path();
        let id = path.file_name()?.to_str()?.parse().ok()?;
        is_child(&path).then_some(id)
    });
    all.collect()
}

fn signal(name: &str, processes: &[u32]) {
    for process in processes {
        let done = Command::new("kill")
            .args([name, &process.to_string()])
            .status()
            .unwrap();
        assert!(done.success());
    }
}

#[test]
fn a_shadow_that_hangs_or_dies_costs_the_champion_nothing() {
    let server = Server::start();
    ready(&server, ROW, "2", &with(json!({"isolation": "worker"})));
    start(
        &server,
        &json!({"name": "beside", "model": ROW, "shadows": [{"version": "2", "percent": 100}]}),
    );
    answered_by(&server, "first");
    let computed = until(&server, "beside", |experiment| here(experiment, "2")["requests"] == 1);
    assert_eq!(here(&computed, "2")["errors"], 0);
    // Paired with the answer that it computed beside, about the same person.
    let of = |version: &str| {
        let path = format!("/v1/predictions?experiment=beside&version={version}&limit=1");
        server.get(&path).json()["items"][0].clone()
    };
    until(&server, "beside", |_| of("2")["arm"]["arm"] == "shadow");
    let (champion, shadow) = (of("1.0.0"), of("2"));
    assert_eq!(shadow["arm"]["beside"], champion["id"]);
    assert_eq!(
        (&shadow["subject"], &shadow["digests"]["input"]),
        (&champion["subject"], &champion["digests"]["input"])
    );

    // It hangs: some wait for it, the rest are left out, and everybody is answered.
    let hanging = workers(&server);
    assert!(!hanging.is_empty());
    signal("-STOP", &hanging);
    for number in 0..60 {
        assert_eq!(answered_by(&server, &format!("subject {number}")), "1.0.0");
    }
    let seen = read(&server, "beside");
    let (two, one) = (here(&seen, "2"), here(&seen, "1.0.0"));
    assert!(two["dropped"].as_u64().unwrap() >= 20, "{two}");
    assert!(two["waiting"].as_u64().unwrap() <= 33, "{two}");
    assert_eq!((&one["requests"], &one["errors"]), (&json!(61), &json!(0)));
    // Somebody who waits for it is erased: nothing of them waits any more, and nothing of them comes later.
    let waiting = two["waiting"].as_u64().unwrap();
    let about = [("x-einthoven-subject", "subject 20")];
    let theirs = server.ask("GET", "/v1/predictions", &about, b"").json()["items"].clone();
    assert_eq!(theirs.as_array().unwrap().len(), 1, "{theirs}");
    let erased = server.delete(&format!("/v1/subjects/{}", theirs[0]["subject"].as_str().unwrap()));
    assert_eq!(
        (erased.status, &erased.json()["entries"]),
        (200, &json!(1)),
        "{}",
        erased.json()
    );
    let less = here(&read(&server, "beside"), "2")["waiting"].as_u64().unwrap();
    assert!(less < waiting, "{less} of {waiting}");
    // It dies, in the middle of one: the version is started anew or fails, and everybody is answered.
    signal("-KILL", &hanging);
    for number in 0..10 {
        assert_eq!(answered_by(&server, &format!("subject {number}")), "1.0.0");
    }
    until(&server, "beside", |experiment| here(experiment, "2")["waiting"] == 0);
    let theirs = server.ask("GET", "/v1/predictions", &about, b"").json();
    assert_eq!(theirs["items"], json!([]));
}
