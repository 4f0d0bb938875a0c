//! MLflow's scoring.

use crate::client::Server;
use crate::graphs;
use serde_json::{Value, json};

fn predictions(server: &Server, path: &str, body: &Value) -> Value {
    let answer = server.json("POST", path, &[], body);
    assert_eq!(answer.status, 200, "{}", answer.json());
    assert!(answer.header("x-einthoven-digest").starts_with("sha256:"));
    answer.json()["predictions"].clone()
}

#[test]
fn every_form_of_a_request_is_answered_alike() {
    let server = Server::start();
    let values: Vec<f64> = (0..187).map(|index| f64::from(index) / 187.0).collect();
    let columns: Vec<String> = (0..187).map(|index| index.to_string()).collect();
    let path = "/invocations?model=heartbeat-row";
    let split = predictions(
        &server,
        path,
        &json!({"dataframe_split": {"columns": columns, "data": [values]}}),
    );
    assert_eq!(split.as_array().unwrap().len(), 1);
    assert_eq!(split[0].as_array().unwrap().len(), 5);
    let bodies = [
        json!({"inputs": [[values]]}),
        json!({"inputs": {"row": [[values]]}}),
        json!({"instances": [values]}),
        json!({"instances": [{"row": values}]}),
        json!({"dataframe_records": [{"row": values}]}),
    ];
    for body in bodies {
        assert_eq!(predictions(&server, path, &body), split, "{body}");
    }
    // An object of serde_json sorts its fields; MLflow's clients send them in their order.
    let fields: Vec<_> = columns
        .iter()
        .zip(&values)
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    let records = format!("{{\"dataframe_records\":[{{{}}}]}}", fields.join(","));
    assert_eq!(
        server
            .post(path, "application/json; charset=utf-8", records.as_bytes())
            .json()["predictions"],
        split
    );
    let texts: Vec<_> = values.iter().map(ToString::to_string).collect();
    let csv = format!("{}\n{}\n", columns.join(","), texts.join(","));
    assert_eq!(
        server.post(path, "text/csv", csv.as_bytes()).json()["predictions"],
        split
    );
    let named = predictions(
        &server,
        "/models/heartbeat-row/invocations",
        &json!({"instances": [values]}),
    );
    assert_eq!(named, split);
    let header = [("x-einthoven-model", "heartbeat-row")];
    assert_eq!(
        server
            .json("POST", "/invocations", &header, &json!({"instances": [values]}))
            .json()["predictions"],
        split
    );
}

#[test]
fn several_outputs_are_named() {
    let server = graphs::server();
    let (ones, twos) = (vec![1.0; 16], vec![2.0; 16]);
    let body = json!({"inputs": {"INPUT0": [twos, twos], "INPUT1": [ones, twos]}});
    let said = predictions(&server, "/invocations?model=simple", &body);
    assert_eq!(said["OUTPUT0"], json!([vec![3.0; 16], vec![4.0; 16]]));
    assert_eq!(said["OUTPUT1"], json!([vec![1.0; 16], vec![0.0; 16]]));
    let said = predictions(
        &server,
        "/invocations?model=identity",
        &json!({"inputs": [[1.5, 2.5, 3.5]]}),
    );
    assert_eq!(said, json!([[1.5, 2.5, 3.5]]));
}

#[test]
fn what_is_wrong_is_said_as_mlflow_says_it() {
    let server = Server::start();
    for (path, kind, body, status) in [
        ("/invocations", "application/json", "{\"inputs\": [[1]]}", 400),
        (
            "/invocations?model=heartbeat-row",
            "application/json",
            "{\"inputs\": [[1]]}",
            400,
        ),
        ("/invocations?model=heartbeat-row", "application/json", "not json", 400),
        ("/invocations?model=heartbeat-row", "text/plain", "1", 415),
        (
            "/invocations?model=nowhere",
            "application/json",
            "{\"inputs\": [[1]]}",
            404,
        ),
    ] {
        let answer = server.post(path, kind, body.as_bytes());
        let said = answer.json();
        assert_eq!(answer.status, status, "{path} {body}: {said}");
        assert_eq!(said["error_code"], "BAD_REQUEST", "{said}");
        assert_eq!(said["message"], said["detail"], "{said}");
        assert_eq!(said["error"], said["detail"], "{said}");
    }
    let which = server.post("/invocations", "application/json", b"{\"inputs\": [[1]]}");
    assert!(which.problem(400, "which_model").contains("?model=NAME"));
    for path in ["/ping", "/health", "/version"] {
        assert_eq!(server.bare("GET", path, &[], b"").unwrap().status, 200, "{path}");
    }
}
