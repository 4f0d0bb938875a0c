//! The verdict: which step failed, why, what would put it right; and the table of engines of what passed.

use crate::client::Server;
use crate::packages::{package, row_file, with, wrong_golden};
use crate::steps::{ROW, champion, classify, promote, ready, set_alias, upload};
use serde_json::{Value, json};

fn rejected(server: &Server, version: &str, package: &crate::packages::Package, step: &str) -> Value {
    let answer = upload(server, ROW, version, package);
    assert_eq!(answer.status, 201, "{}", answer.json());
    let phase = answer.json()["phase"].clone();
    assert_eq!(
        (&phase["state"], &phase["step"]),
        (&json!("rejected"), &json!(step)),
        "{phase}"
    );
    let kept = server
        .get(&format!("/v1/models/{ROW}/versions/{version}/verification"))
        .json();
    assert_eq!(kept["verification"], phase);
    phase
}

#[test]
fn a_version_that_is_not_what_it_says_is_rejected_at_its_step() {
    let server = Server::start();
    let golden = rejected(&server, "golden", &wrong_golden(), "golden");
    let reason = golden["reason"].as_str().unwrap();
    assert!(reason.contains("row 1") && reason.contains("differs by"), "{reason}");
    assert!(golden["remedy"].as_str().unwrap().contains("golden.json"), "{golden}");

    // The manifest and the golden file call the input otherwise than the network does.
    let mut renamed = with(json!({
        "inputs": [{"name": "beat", "dtype": "f32", "dims": [null, 1, 187]}],
        "feeds": {"beat": "row"},
    }));
    let text = String::from_utf8(row_file("golden.json")).unwrap();
    renamed.insert("golden.json".to_owned(), text.replace("\"row\"", "\"beat\"").into());
    let signature = rejected(&server, "signature", &renamed, "signature");
    let reason = signature["reason"].as_str().unwrap();
    assert!(reason.contains("beat") && reason.contains("row"), "{reason}");
    assert!(signature["remedy"].as_str().unwrap().contains("inputs"), "{signature}");

    let mut cut = package();
    let half = cut["model.onnx"].len() / 2;
    cut.get_mut("model.onnx").unwrap().truncate(half);
    let load = rejected(&server, "cut", &cut, "load");
    assert!(load["reason"].as_str().unwrap().contains("model.onnx"), "{load}");

    let absent = rejected(&server, "absent", &with(json!({"engine": "nope"})), "load");
    assert!(absent["reason"].as_str().unwrap().contains("tract"), "{absent}");
    let mut unreadable = package();
    unreadable.insert("golden.json".to_owned(), b"{}".to_vec());
    rejected(&server, "unreadable", &unreadable, "golden");

    // None of them can be made to answer, and what answered goes on.
    for version in ["golden", "signature", "cut"] {
        promote(&server, ROW, version).problem(409, "wrong_state");
        set_alias(&server, ROW, "canary", version).problem(409, "wrong_state");
        let said = classify(&server, &format!("model={ROW}/{version}")).problem(409, "not_ready");
        assert!(said.contains("rejected"), "{said}");
    }
    assert_eq!(champion(&server, ROW), "1.0.0");
    assert_eq!(classify(&server, &format!("model={ROW}")).status, 200);

    // The same content may come again once it was rejected: perhaps the server lacked an engine then.
    let again = upload(&server, ROW, "again", &cut);
    assert_eq!(again.json()["phase"]["state"], "rejected", "{}", again.json());
}

#[test]
fn a_ready_version_shows_what_every_engine_made_of_it() {
    let server = Server::start();
    ready(&server, ROW, "mine", &package());
    let body = server
        .get(&format!("/v1/models/{ROW}/versions/mine/verification"))
        .json();
    let found = &body["verification"];
    assert_eq!(found["state"], "ready");
    let engines = found["report"]["engines"].as_array().unwrap();
    let tract = engines
        .iter()
        .find(|row| row["engine"] == "tract" && row["file"] == "model.onnx")
        .unwrap();
    assert_eq!(tract["accepted"], true, "{tract}");
    assert!(tract["max_difference"].as_f64().unwrap() <= 1e-4, "{tract}");
    assert!(tract["batch_us"]["1"].as_f64().unwrap() > 0.0, "{tract}");
    assert_eq!(found["engine"], "tract");
    server
        .get(&format!("/v1/models/{ROW}/versions/none/verification"))
        .problem(404, "no_such_version");
}

#[test]
fn a_smaller_precision_passes_within_what_its_manifest_allows() {
    let server = Server::start();
    let int8 = |tolerance: f64| {
        let mut package = with(json!({"variants": [{"name": "model.int8.onnx", "tolerance": tolerance}]}));
        package.remove("model.onnx");
        package.insert("model.int8.onnx".to_owned(), row_file("model.int8.onnx"));
        package
    };
    rejected(&server, "strict", &int8(1e-4), "golden");
    ready(&server, ROW, "allowed", &int8(0.2));
}

#[test]
fn how_far_a_version_is_can_be_watched() {
    let server = Server::start();
    let path = format!("/v1/models/{ROW}/versions?name=package.zip&version=mine");
    let sent = server.post(&path, "application/zip", &crate::packages::zip(&package()));
    assert_eq!(sent.status, 202, "{}", sent.json());
    let place = sent.location.clone().unwrap();
    let mut seen = vec![sent.json()["phase"]["state"].as_str().unwrap().to_owned()];
    let end = std::time::Instant::now() + std::time::Duration::from_secs(120);
    while seen.last().unwrap() != "ready" {
        assert!(std::time::Instant::now() < end, "{seen:?}");
        let state = server.get(&place).json()["phase"]["state"].as_str().unwrap().to_owned();
        if seen.last() != Some(&state) {
            seen.push(state);
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(seen, ["verifying", "ready"]);
    let audit = server.get(&format!("/v1/audit?model={ROW}&limit=3")).json();
    let kinds: Vec<_> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["event"]["kind"])
        .collect();
    assert_eq!(kinds, ["version_ready", "version_fetched", "version_added"]);
}
