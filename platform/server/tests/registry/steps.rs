//! What the tests do again and again.

use crate::client::{Answer, Server};
use crate::packages::{LABELS, Package, golden_outputs, rows_csv, zip};
use serde_json::{Value, json};

/// The model that comes with the server and takes rows.
pub(crate) const ROW: &str = "heartbeat-row";

/// Sends a package and waits for its verdict.
pub(crate) fn upload(server: &Server, model: &str, version: &str, package: &Package) -> Answer {
    let path = format!("/v1/models/{model}/versions?name=package.zip&version={version}&wait_s=120");
    server.post(&path, "application/zip", &zip(package))
}

/// The same, which must be found ready; gives its digest.
pub(crate) fn ready(server: &Server, model: &str, version: &str, package: &Package) -> String {
    let answer = upload(server, model, version, package);
    assert_eq!(answer.status, 201, "{}", answer.json());
    assert_eq!(answer.json()["phase"]["state"], "ready", "{}", answer.json());
    answer.json()["digest"].as_str().unwrap().to_owned()
}

pub(crate) fn promote(server: &Server, model: &str, version: &str) -> Answer {
    promote_as(server, model, version, &[])
}

pub(crate) fn promote_as(server: &Server, model: &str, version: &str, headers: &[(&str, &str)]) -> Answer {
    let path = format!("/v1/models/{model}/traffic");
    server.json("PUT", &path, headers, &json!({"champion": version, "reason": "a test"}))
}

pub(crate) fn roll_back(server: &Server, model: &str) -> Answer {
    let path = format!("/v1/models/{model}/rollback");
    server.json("POST", &path, &[], &json!({"reason": "it was worse"}))
}

pub(crate) fn set_alias(server: &Server, model: &str, alias: &str, version: &str) -> Answer {
    let path = format!("/v1/models/{model}/aliases/{alias}");
    server.json("PUT", &path, &[], &json!({"version": version}))
}

pub(crate) fn model(server: &Server, name: &str) -> Value {
    let answer = server.get(&format!("/v1/models/{name}"));
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

pub(crate) fn champion(server: &Server, name: &str) -> String {
    let model = model(server, name);
    model["traffic"]["champion"].as_str().unwrap_or_default().to_owned()
}

/// Names of the versions that a model has.
pub(crate) fn versions(server: &Server, name: &str) -> Vec<String> {
    let model = model(server, name);
    model["versions"].as_object().unwrap().keys().cloned().collect()
}

/// Classifies the golden rows by what a query says, such as `model=heartbeat-row@canary`.
pub(crate) fn classify(server: &Server, query: &str) -> Answer {
    server.post(&format!("/v1/classify?{query}"), "text/csv", rows_csv().as_bytes())
}

/// The version that answers to a query; its answers must be those of the network.
pub(crate) fn answers(server: &Server, query: &str) -> String {
    let answer = classify(server, query);
    assert_eq!(answer.status, 200, "{query}: {}", answer.json());
    let document = answer.json();
    let labels: Vec<_> = labels(&document);
    assert_right(&document, &labels, 1e-4);
    document["model"]["version"].as_str().unwrap().to_owned()
}

pub(crate) fn labels(document: &Value) -> Vec<String> {
    let labels = document["model"]["labels"].as_array().unwrap();
    labels.iter().map(|label| label.as_str().unwrap().to_owned()).collect()
}

/// Every probability must be the golden one of its column, under that column's label, and the class the largest.
pub(crate) fn assert_right(document: &Value, labels: &[String], tolerance: f64) {
    let rows = document["rows"].as_array().unwrap();
    let golden = golden_outputs();
    assert_eq!(rows.len(), golden.len());
    for (row, expected) in rows.iter().zip(&golden) {
        for (label, value) in labels.iter().zip(expected) {
            let given = row["probabilities"][label].as_f64().unwrap();
            assert!(
                (given - value).abs() <= tolerance,
                "{label} is {given}, not {value}: {row}"
            );
        }
        let largest = (0..LABELS.len()).max_by(|a, b| expected[*a].total_cmp(&expected[*b]));
        assert_eq!(row["class"], labels[largest.unwrap()], "{row}");
    }
}
