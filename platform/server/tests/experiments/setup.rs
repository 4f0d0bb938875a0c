//! Versions to compare, and what every test does with them.

use crate::client::Server;
use crate::packages::{Package, rows_csv};
use crate::steps::ready;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The model that comes with the server and takes recordings.
pub(crate) const HEARTBEAT: &str = "heartbeat";
/// Longest wait for what happens beside requests.
const PATIENCE: Duration = Duration::from_secs(120);

/// The server's own model of beats, with another class for each column: a version that is wrong nearly everywhere.
pub(crate) fn mislabelled(server: &Server, version: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models/heartbeat");
    let mut package = Package::new();
    for name in ["golden.json", "manifest.json", "model.onnx"] {
        package.insert(name.to_owned(), std::fs::read(folder.join(name)).unwrap());
    }
    let mut manifest: Value = serde_json::from_slice(&package["manifest.json"]).unwrap();
    manifest["labels"] = json!(["V", "S", "N", "F"]);
    package.insert("manifest.json".to_owned(), manifest.to_string().into());
    ready(server, HEARTBEAT, version, &package);
}

/// Starts an experiment; gives it.
pub(crate) fn start(server: &Server, body: &Value) -> Value {
    let started = server.json("POST", "/v1/experiments", &[], body);
    assert_eq!(started.status, 201, "{}", started.json());
    let name = body["name"].as_str().unwrap();
    assert_eq!(
        started.location.as_deref(),
        Some(format!("/v1/experiments/{name}").as_str())
    );
    started.json()
}

pub(crate) fn read(server: &Server, path: &str) -> Value {
    let answer = server.get(&format!("/v1/experiments/{path}"));
    assert_eq!(answer.status, 200, "{path}: {}", answer.json());
    answer.json()
}

/// What the server itself saw of a version.
pub(crate) fn here(experiment: &Value, version: &str) -> Value {
    let arms = experiment["here"].as_array().unwrap();
    let arm = arms.iter().find(|arm| arm["version"] == version);
    arm.unwrap_or_else(|| panic!("no {version} in {experiment}")).clone()
}

/// Reads until it is so.
pub(crate) fn until(server: &Server, path: &str, so: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + PATIENCE;
    loop {
        let found = read(server, path);
        if so(&found) {
            return found;
        }
        assert!(Instant::now() < end, "it did not come to be: {found}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Classifies rows for a subject; the version that answered.
pub(crate) fn answered_by(server: &Server, subject: &str) -> String {
    let headers = [("content-type", "text/csv"), ("x-einthoven-subject", subject)];
    let answer = server.ask(
        "POST",
        "/v1/classify?model=heartbeat-row",
        &headers,
        rows_csv().as_bytes(),
    );
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()["model"]["version"].as_str().unwrap().to_owned()
}
