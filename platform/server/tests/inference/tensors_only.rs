//! A network that no recipe feeds, from its upload to its answers.

use crate::client::{Server, csv};
use crate::graphs::add_sub;
use serde_json::json;

#[test]
fn a_version_without_a_recipe_takes_tensors_and_refuses_recordings() {
    let server = Server::start();
    let versions = "/v1/models/adder/versions?name=model.onnx&version=first&wait_s=120";
    let network = add_sub();

    // Nothing tells a network that wants no recipe from one whose recipe was forgotten.
    let asked = server.post(versions, "application/octet-stream", &network);
    asked.problem(422, "incomplete_manifest");
    let said = server.post(&format!("{versions}&recipe=none"), "application/octet-stream", &network);
    assert_eq!(said.status, 201, "{}", said.json());
    assert_eq!(said.json()["phase"]["state"], "ready", "{}", said.json());

    let tensor = |name: &str, data: Vec<f32>| json!({"name": name, "datatype": "FP32", "shape": [2, 16], "data": data});
    let counted = |step: f32| (0..32).map(|value| value as f32 * step).collect::<Vec<_>>();
    let body = json!({"inputs": [tensor("INPUT0", counted(1.0)), tensor("INPUT1", counted(0.25))]});
    let infer = "/v2/models/adder/infer";
    let early = server.json("POST", infer, &[], &body);
    assert!((400..500).contains(&early.status), "{}", early.json());

    let traffic = json!({"champion": "first", "reason": "a test"});
    let promoted = server.json("PUT", "/v1/models/adder/traffic", &[], &traffic);
    assert_eq!(promoted.status, 200, "{}", promoted.json());
    let answer = server.json("POST", infer, &[], &body);
    assert_eq!(answer.status, 200, "{}", answer.json());
    let answer = answer.json();
    assert_eq!(answer["model_version"], "first");
    for (output, step) in [("OUTPUT0", 1.25_f32), ("OUTPUT1", 0.75)] {
        let found = answer["outputs"]
            .as_array()
            .unwrap()
            .iter()
            .find(|given| given["name"] == output);
        let found = found.unwrap_or_else(|| panic!("no {output} in {answer}"));
        assert_eq!(found["shape"], json!([2, 16]));
        let data: Vec<f64> = serde_json::from_value(found["data"].clone()).unwrap();
        for (given, expected) in data.iter().zip(counted(step)) {
            assert!((given - f64::from(expected)).abs() < 1e-6, "{given}, not {expected}");
        }
    }

    let recording = csv(20, 250, 1.0);
    let refused = server.post("/v1/classify?model=adder", "text/csv", recording.as_bytes());
    let said = refused.problem(422, "tensors_only");
    assert!(said.contains("adder"), "{said}");
    // And what it comes with still takes recordings.
    let taken = server.post("/v1/classify", "text/csv", recording.as_bytes());
    assert_eq!(taken.status, 200, "{}", taken.json());
}
