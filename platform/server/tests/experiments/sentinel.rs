//! A frozen set that every challenger is measured on when it begins, and the traces of what versions call differently.

use crate::client::Server;
use crate::packages::Package;
use crate::records::{classify, named, refer, send};
use crate::setup::{HEARTBEAT, here, mislabelled, read, start, until};
use crate::steps::ready;
use serde_json::{Value, json};
use std::path::PathBuf;

/// A version like no other that computes what the server's own does.
fn twin(server: &Server, version: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models/heartbeat");
    let mut package = Package::new();
    for name in ["golden.json", "manifest.json", "model.onnx"] {
        package.insert(name.to_owned(), std::fs::read(folder.join(name)).unwrap());
    }
    let mut manifest: Value = serde_json::from_slice(&package["manifest.json"]).unwrap();
    manifest["description"] = json!("a twin");
    package.insert("manifest.json".to_owned(), manifest.to_string().into());
    ready(server, HEARTBEAT, version, &package);
}

#[test]
fn whoever_misses_beats_of_the_sentinel_set_goes_before_it_answers_much() {
    // Nobody looks by the clock: what is measured at the beginning is enough.
    let server = Server::start_with(&["--keep-recordings", "--guard-every-s", "3600"]);
    mislabelled(&server, "2");
    twin(&server, "3");
    let sent: Vec<String> = ["100x", "203x"]
        .iter()
        .map(|record| named(&classify(&server, record, Some(record))))
        .collect();
    let wanted = |set: &[&str]| {
        json!({
            "name": "watched", "model": HEARTBEAT, "rules": {"sentinel": set},
            "shadows": [{"version": "2", "percent": 100}, {"version": "3", "percent": 100}],
        })
    };
    let post = |body: &Value| server.json("POST", "/v1/experiments", &[], body);
    // What cannot be measured is refused: nobody labelled it, or there is none.
    let said = post(&wanted(&[&sent[0]])).problem(422, "bad_field");
    assert!(said.contains("labelled") && said.contains(&sent[0]), "{said}");
    let said = post(&wanted(&["01938f6e-7a3b-7c10-8d55-0d3c2b1a0f9e"])).problem(422, "bad_field");
    assert!(said.contains("no prediction"), "{said}");
    for (id, record) in sent.iter().zip(["100x", "203x"]) {
        assert_eq!(refer(&server, id, record).status, 201);
    }
    let begun = start(&server, &wanted(&[&sent[0], &sent[1]]));
    assert_eq!(begun["rules"]["sentinel"], json!(sent));
    let seen = until(&server, "watched", |experiment| {
        experiment["withdrawn"].as_array().is_some_and(|all| all.len() == 1)
    });
    let withdrawn = &seen["withdrawn"][0];
    assert_eq!(
        (&withdrawn["challenger"]["version"], &withdrawn["by"]),
        (&json!("2"), &json!("einthoven"))
    );
    assert_eq!(withdrawn["broken"][0]["rail"], "sentinel_misses", "{withdrawn}");
    assert!(
        withdrawn["why"].as_str().unwrap().contains("sentinel set"),
        "{withdrawn}"
    );
    let audit = server.get("/v1/audit?who=einthoven&limit=2").json();
    assert_eq!(audit["items"][1]["event"]["kind"], "challenger_withdrawn", "{audit}");
    // The other says what the champion says.
    let seen = until(&server, "watched", |experiment| {
        here(experiment, "3")["sentinel_misses"].is_number()
    });
    assert_eq!(
        (&here(&seen, "3")["sentinel_misses"], &seen["running"]),
        (&json!(0), &json!(true))
    );
}

#[test]
fn where_versions_differ_the_trace_is_drawn_from_what_is_kept() {
    let server = Server::start_with(&["--keep-recordings"]);
    mislabelled(&server, "2");
    let rails = json!({"class_shares": null});
    let shadows = json!([{"version": "2", "percent": 100}]);
    start(
        &server,
        &json!({"name": "seen", "model": HEARTBEAT, "shadows": shadows, "rules": {"rails": rails}}),
    );
    let id = named(&classify(&server, "208x", None));
    let differ = until(&server, "seen/disagreements?limit=5", |found| {
        !found["items"].as_array().unwrap().is_empty()
    });
    let beat = &differ["items"][0];
    let path = beat["signal"].as_str().unwrap();
    assert_eq!(path, format!("/v1/predictions/{id}/signal"));
    let time = beat["time_s"].as_f64().unwrap();
    let span = format!("from={}&to={}&points=2000", time, time + 2.0);
    let drawn = server.get(&format!("{path}?{span}"));
    assert_eq!(drawn.status, 200, "{}", drawn.json());
    let drawn = drawn.json();
    assert_eq!(drawn["lead"], beat["lead"]);
    assert!(
        (700..=740).contains(&drawn["min_mv"].as_array().unwrap().len()),
        "{drawn}"
    );
    // The same as of a recording that is looked at.
    let looked = send(&server, "/v1/recordings", "208x", None).json();
    let other = server
        .get(&format!(
            "/v1/recordings/{}/signal?{span}",
            looked["id"].as_str().unwrap()
        ))
        .json();
    assert_eq!(
        (&drawn["min_mv"], &drawn["max_mv"]),
        (&other["min_mv"], &other["max_mv"])
    );
    server.get(&format!("{path}?lead=XX")).problem(404, "no_such_lead");
    server.get(&format!("{path}?from=5&to=4")).problem(422, "bad_field");

    // Who does not label looks at nobody's recordings, and is not told of any.
    let reader = server.key("reader", &["models.read"]);
    let key = [("x-api-key", reader.as_str())];
    let found = server
        .ask("GET", "/v1/experiments/seen/disagreements", &key, b"")
        .json();
    assert_eq!(found["items"][0]["signal"], Value::Null);
    assert_eq!(server.ask("GET", path, &key, b"").status, 403);
    let other = server.key("other", &["label:heartbeat-row"]);
    server
        .ask("GET", path, &[("x-api-key", other.as_str())], b"")
        .problem(404, "not_found");
    // Without keeping, there is nothing to draw.
    let server = Server::start();
    let id = named(&classify(&server, "208x", None));
    server
        .get(&format!("/v1/predictions/{id}/signal"))
        .problem(404, "not_kept");
}

#[test]
fn what_readers_correct_counts_once_and_is_gathered() {
    let server = Server::start_with(&["--guard-every-s", "1"]);
    mislabelled(&server, "2");
    let rails = json!({"class_shares": null, "withheld": null});
    let shadows = json!([{"version": "2", "percent": 100}]);
    start(
        &server,
        &json!({"name": "read", "model": HEARTBEAT, "shadows": shadows, "rules": {"rails": rails}}),
    );
    let mut sent = Vec::new();
    for person in 0..5 {
        for record in ["100x", "203x", "208x"] {
            sent.push((
                named(&classify(&server, record, Some(&format!("{record} of {person}")))),
                record,
            ));
        }
    }
    until(&server, "read", |experiment| {
        here(experiment, "2")["requests"] == sent.len()
    });
    let (few, rest) = sent.split_at(2);
    for (id, record) in few {
        assert_eq!(refer(&server, id, record).status, 201);
    }
    let undecided = |experiment: &Value| {
        here(experiment, "2")["undecided"]
            .as_array()
            .unwrap()
            .contains(&json!("relabels"))
    };
    let mut seen = until(&server, "read", |experiment| !undecided(experiment));
    // However often one looks, two recordings are two.
    for _ in 0..6 {
        let before = here(&seen, "2")["looked_at"].clone();
        seen = until(&server, "read", |experiment| {
            here(experiment, "2")["looked_at"] != before
        });
    }
    assert_eq!(read(&server, "read")["running"], true);
    for (id, record) in rest {
        assert_eq!(refer(&server, id, record).status, 201);
    }
    let over = until(&server, "read", |experiment| experiment["running"] == false);
    assert_eq!(over["withdrawn"][0]["broken"][0]["rail"], "relabels", "{over}");
}
