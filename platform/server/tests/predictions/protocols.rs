//! Answers in the words of other protocols are remembered too, and named beside their bodies.

use crate::client::Server;
use crate::records::{entry, pages};
use serde_json::{Value, json};

const HEADER: &str = "x-einthoven-prediction";
const TENSORS: &str = "/v2/models/heartbeat-row/infer";

/// Rows that differ a little.
fn rows(number: usize) -> Vec<Vec<f64>> {
    (0..number)
        .map(|row| (0..187).map(|place| ((row * 7 + place) % 187) as f64 / 187.0).collect())
        .collect()
}

fn tensors(rows: &[Vec<f64>]) -> Value {
    let data: Vec<f64> = rows.concat();
    json!({"inputs": [{"name": "row", "shape": [rows.len(), 1, 187], "datatype": "FP32", "data": data}]})
}

#[test]
fn tensors_have_an_entry_with_a_row_for_each() {
    // Few rows are digested on the spot, many where that holds up nobody.
    for number in [1, 300] {
        let server = Server::start_with(&["--journal", "audit"]);
        let rows = rows(number);
        let about = [("x-einthoven-subject", "Erika Mustermann")];
        let answer = server.json("POST", TENSORS, &about, &tensors(&rows));
        assert_eq!(answer.status, 200, "{}", answer.json());
        let kept = entry(&server, answer.header(HEADER));
        assert_eq!(
            (&kept["unit"], &kept["parameters"]["protocol"]),
            (&json!("tensors"), &json!("v2"))
        );
        assert_eq!(
            (&kept["model"], &kept["version"]),
            (&json!("heartbeat-row"), &json!("1.0.0"))
        );
        assert_eq!(kept["digests"]["model"], answer.header("x-einthoven-digest"));
        assert_eq!((&kept["engine"], &kept["device"]), (&json!("tract"), &json!("cpu")));
        assert_eq!(
            (&kept["digests"]["recipe"], &kept["record"]),
            (&json!(""), &Value::Null)
        );
        assert!(
            kept["latency"]["compute_us"].as_u64().unwrap() > 0,
            "{}",
            kept["latency"]
        );
        assert!(kept["latency"]["total_us"].as_u64() >= kept["latency"]["compute_us"].as_u64());
        let text = kept.to_string();
        assert!(kept["subject"].as_str().unwrap().starts_with("s_") && !text.contains("Mustermann"));
        // Rows as they were answered.
        let said = answer.json()["outputs"][0]["data"].clone();
        let beats = kept["beats"].as_array().unwrap();
        assert_eq!(beats.len(), rows.len());
        let classes: Vec<_> = kept["classes"].as_array().unwrap().clone();
        for (place, beat) in beats.iter().enumerate() {
            assert_eq!(beat["at"], json!(place + 1));
            let values: Vec<f64> = (0..5)
                .map(|column| said[place * 5 + column].as_f64().unwrap())
                .collect();
            let largest = (0..5).max_by(|a, b| values[*a].total_cmp(&values[*b])).unwrap();
            assert_eq!(beat["class"], classes[largest]);
            let kept = beat["probabilities"][classes[largest].as_str().unwrap()]
                .as_f64()
                .unwrap();
            assert!((kept - values[largest]).abs() < 1e-6, "{kept} {values:?}");
        }
        // The same tensors have the same digest, in whatever words they come.
        let input = &kept["digests"]["input"];
        let scored = server.json(
            "POST",
            "/invocations?model=heartbeat-row",
            &[],
            &json!({"inputs": rows}),
        );
        let other = entry(&server, scored.header(HEADER));
        assert_eq!(&other["digests"]["input"], input);
        // Many rows may be cut into other batches, which may differ in last digits.
        if number == 1 {
            assert_eq!(other["digests"]["answer"], kept["digests"]["answer"]);
        }
        assert_eq!(other["parameters"]["protocol"], "invocations");
        let more = self::rows(number + 1);
        let different = server.json("POST", TENSORS, &[], &tensors(&more));
        assert_ne!(&entry(&server, different.header(HEADER))["digests"]["input"], input);

        // It can be labelled, and says what is gone where it is to be made again.
        let id = kept["id"].as_str().unwrap();
        let other = if beats[0]["class"] == "V" { "N" } else { "V" };
        let said = json!({"marks": [{"at": 1, "is": "class", "class": other}]});
        let taken = server.json("POST", &format!("/v1/predictions/{id}/labels"), &[], &said);
        assert_eq!(taken.status, 201, "{}", taken.json());
        assert_eq!(pages(&server, "/v1/misclassified?model=heartbeat-row", 10).len(), 1);
        let again = server
            .post(&format!("/v1/predictions/{id}/replay"), "application/json", b"")
            .json();
        assert_eq!(again["outcome"], "gone");
        let pieces: Vec<_> = again["pieces"]
            .as_array()
            .unwrap()
            .iter()
            .map(|piece| &piece["kind"])
            .collect();
        assert_eq!(pieces, [&json!("input")]);
    }
}

#[test]
fn what_is_not_remembered_is_not_named() {
    let off = Server::start_with(&["--journal", "off"]);
    let none = Server::start_with(&["--journal-share", "0"]);
    for server in [&off, &none] {
        let answer = server.json("POST", TENSORS, &[], &tensors(&rows(2)));
        assert_eq!((answer.status, answer.header(HEADER)), (200, ""));
        let scored = server.json(
            "POST",
            "/invocations?model=heartbeat-row",
            &[],
            &json!({"inputs": rows(2)}),
        );
        assert_eq!((scored.status, scored.header(HEADER)), (200, ""));
    }
    let counts = none.get("/v1/journal").json()["counts"].clone();
    assert_eq!(
        (&counts["unsampled"], &counts["received"]),
        (&json!(2), &json!(0)),
        "{counts}"
    );
}
