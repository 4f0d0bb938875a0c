//! A manifest that is asked for, drafted as far as the network tells, and completed without sending the network again.

use crate::client::Server;
use crate::packages::row_file;
use crate::steps::{answers, versions};
use serde_json::{Value, json};

#[test]
fn what_is_missing_is_asked_for_and_completed_by_digest() {
    let server = Server::start();
    let onnx = row_file("model.onnx");
    let asked = server.form("/v1/models/mine/versions", &[("model.onnx", &onnx)], &[]);
    let said = asked.problem(422, "incomplete_manifest");
    assert!(said.contains("labels") && said.contains("recipe"), "{said}");
    let body = asked.json();
    let mut pointers: Vec<_> = body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| &error["pointer"])
        .collect();
    pointers.sort_by_key(|pointer| pointer.to_string());
    assert_eq!(pointers, ["labels", "recipe"]);
    assert_eq!(body["draft"]["inputs"][0]["dims"], json!([null, 1, 187]));
    server.get("/v1/models/mine").problem(404, "no_such_model");

    // Half of it is not enough, and what is missing then is the rest.
    let mut manifest = body["draft"].clone();
    manifest["labels"] = json!(["N", "S", "V", "F", "Q"]);
    let ana = server.key("ana", &["models.write"]);
    let ask = |manifest: &Value, files: &Value| {
        let body =
            json!({"files": files, "manifest": manifest, "version": "first", "reason": "completed", "wait_s": 120});
        server.json("POST", "/v1/models/mine/versions", &[("x-api-key", &ana)], &body)
    };
    let files: Vec<_> = body["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| json!({"name": file["name"], "sha256": file["sha256"]}))
        .collect();
    let files = Value::from(files);
    let half = ask(&manifest, &files);
    half.problem(422, "incomplete_manifest");
    assert_eq!(half.json()["errors"].as_array().unwrap().len(), 1);
    assert_eq!(half.json()["errors"][0]["pointer"], "recipe");

    manifest["recipe"] = json!("kaggle-heartbeat-v1");
    let done = ask(&manifest, &files);
    assert_eq!(done.status, 201, "{}", done.json());
    assert_eq!(done.json()["phase"]["state"], "ready", "{}", done.json());
    assert_eq!(done.json()["added_by"], "key:ana");
    assert_eq!(answers(&server, "model=mine/first"), "first");
    assert_eq!(versions(&server, "mine"), ["first"]);
}

#[test]
fn digests_that_are_not_here_and_names_that_are_none() {
    let server = Server::start();
    let ask = |files: Value| server.json("POST", "/v1/models/mine/versions", &[], &json!({"files": files}));
    let absent = format!("sha256:{}", "ab".repeat(32));
    ask(json!([{"name": "model.onnx", "sha256": absent}])).problem(404, "file_missing");
    ask(json!([{"name": "../model.onnx", "sha256": absent}])).problem(422, "unsafe_file_name");
    ask(json!([{"name": "model.onnx", "sha256": "../../../etc/passwd"}])).problem(422, "bad_body");
    let none = ask(json!([]));
    assert!((400..500).contains(&none.status), "{}", none.json());
    server.get("/v1/models/mine").problem(404, "no_such_model");
}
