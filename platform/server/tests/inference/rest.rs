//! REST beyond what scenarios can say: bytes behind JSON, compressed bodies, deadlines, limits.

use crate::client::Server;
use serde_json::{Value, json};
use std::io::Write;

const ROW: &str = "/v2/models/heartbeat-row/infer";

fn row(value: f32) -> Value {
    json!({"id": "a", "inputs": [{"name": "row", "shape": [1, 1, 187], "datatype": "FP32", "data": vec![value; 187]}]})
}

fn binary(value: f32) -> (String, Vec<u8>) {
    let json = json!({
        "inputs": [{"name": "row", "shape": [1, 1, 187], "datatype": "FP32", "parameters": {"binary_data_size": 748}}],
        "outputs": [{"name": "probabilities", "parameters": {"binary_data": true}}],
    })
    .to_string();
    let data: Vec<u8> = std::iter::repeat_n(value.to_le_bytes(), 187).flatten().collect();
    (json.len().to_string(), [json.as_bytes(), &data].concat())
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|chunk| f32::from_le_bytes(*chunk))
        .collect()
}

#[test]
fn bytes_and_json_give_the_same_and_say_what_computed() {
    let server = Server::start();
    let text = server.json("POST", ROW, &[], &row(0.25));
    assert_eq!(text.status, 200, "{}", text.json());
    let document = text.json();
    assert_eq!(document["id"], "a");
    assert_eq!(document["model_name"], "heartbeat-row");
    assert_eq!(document["outputs"][0]["shape"], json!([1, 5]));
    assert!(text.header("x-einthoven-digest").starts_with("sha256:"));
    assert_eq!(text.header("x-einthoven-engine"), "tract");
    assert_eq!(text.header("x-einthoven-device"), "cpu");
    assert_eq!(
        text.header("x-einthoven-version"),
        document["model_version"].as_str().unwrap()
    );
    let said: Vec<f32> = document["outputs"][0]["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value.as_f64().unwrap() as f32)
        .collect();
    let (length, body) = binary(0.25);
    let bytes = server.ask("POST", ROW, &[("inference-header-content-length", &length)], &body);
    assert_eq!(bytes.status, 200, "{}", bytes.json());
    assert_eq!(bytes.content_type, "application/octet-stream");
    let header: usize = bytes.header("inference-header-content-length").parse().unwrap();
    let json: Value = serde_json::from_slice(&bytes.bytes[..header]).unwrap();
    assert_eq!(json["outputs"][0]["parameters"]["binary_data_size"], 20);
    assert_eq!(floats(&bytes.bytes[header..]), said);
    assert!((said.iter().sum::<f32>() - 1.0).abs() < 1e-4, "{said:?}");
}

#[test]
fn compressed_bodies_are_unpacked_within_the_bound() {
    let server = Server::start_with(&["--max-upload-mib", "1"]);
    let plain = row(0.5).to_string();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(plain.as_bytes()).unwrap();
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    zlib.write_all(plain.as_bytes()).unwrap();
    let expected = server.post(ROW, "application/json", plain.as_bytes()).json();
    assert!(expected["outputs"].is_array(), "{expected}");
    for (encoding, body) in [("gzip", gzip.finish().unwrap()), ("deflate", zlib.finish().unwrap())] {
        let answer = server.ask("POST", ROW, &[("content-encoding", encoding)], &body);
        assert_eq!(answer.json(), expected, "{encoding}");
    }
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&vec![b' '; 64 << 20]).unwrap();
    let bomb = bomb.finish().unwrap();
    let before = server.resident_bytes();
    server
        .ask("POST", ROW, &[("content-encoding", "gzip")], &bomb)
        .problem(413, "too_large");
    assert!(server.resident_bytes() < before + (16 << 20));
    server
        .ask("POST", ROW, &[("content-encoding", "br")], b"x")
        .problem(400, "unsupported");
    server
        .ask("POST", ROW, &[("content-encoding", "gzip")], b"x")
        .problem(400, "bad_request");
    server
        .post(ROW, "application/json", &vec![b' '; 2 << 20])
        .problem(413, "too_large");
}

#[test]
fn a_deadline_that_is_over_is_said_so() {
    let server = Server::start();
    let rows = 4000;
    let data = vec![0.5_f32; 187 * rows];
    let body = json!({"inputs": [{"name": "row", "shape": [rows, 1, 187], "datatype": "FP32", "data": data}]});
    for header in [true, false] {
        let mut body = body.clone();
        let mut headers = vec![];
        if header {
            headers.push(("timeout", "1"));
        } else {
            body["parameters"] = json!({"timeout": 1});
        }
        let answer = server.json("POST", ROW, &headers, &body);
        answer.problem(504, "deadline");
        assert!(answer.json()["error"].is_string());
    }
    assert_eq!(
        server.json("POST", ROW, &[("timeout", "60000000")], &row(0.1)).status,
        200
    );
    server
        .json("POST", ROW, &[("timeout", "soon")], &row(0.1))
        .problem(400, "bad_header");
}

#[test]
fn whoever_may_not_use_a_model_is_refused_with_an_error() {
    let server = Server::start();
    let elsewhere = server.key("elsewhere", &["predict:other"]);
    let answer = server.json("POST", ROW, &[("x-api-key", &elsewhere)], &row(0.1));
    answer.problem(403, "missing_scope");
    assert!(answer.json()["error"].is_string());
    let metadata = "/v2/models/heartbeat-row";
    server
        .ask("GET", metadata, &[("x-api-key", &elsewhere)], b"")
        .problem(403, "missing_scope");
    let predicts = server.key("predicts", &["predict:heartbeat-row"]);
    assert_eq!(
        server.ask("GET", metadata, &[("x-api-key", &predicts)], b"").status,
        200
    );
    assert_eq!(
        server.json("POST", ROW, &[("x-api-key", &predicts)], &row(0.1)).status,
        200
    );
    // Loading and unloading change what answers.
    let unload = "/v2/repository/models/heartbeat-row/unload";
    server
        .json("POST", unload, &[("x-api-key", &predicts)], &json!({}))
        .problem(403, "missing_scope");
}
