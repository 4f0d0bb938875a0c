//! More than the server takes: everybody hears in a clear way, and afterwards it is as before.

use crate::client::{OWNER_KEY, Server};
use serde_json::json;
use std::collections::BTreeMap;

const ROW: &str = "/v2/models/heartbeat-row/infer";

/// Callers at once, and the requests of each.
const CALLERS: usize = 24;
const EACH: usize = 6;

fn binary(rows: usize) -> (String, Vec<u8>) {
    let json = json!({
        "inputs": [{"name": "row", "shape": [rows, 1, 187], "datatype": "FP32", "parameters": {"binary_data_size": rows * 748}}],
        "outputs": [{"name": "probabilities", "parameters": {"binary_data": true}}],
    })
    .to_string();
    let data = std::iter::repeat_n(0.25_f32.to_le_bytes(), rows * 187).flatten();
    let body = json.bytes().chain(data).collect();
    (json.len().to_string(), body)
}

#[test]
fn too_much_is_answered_by_200_429_and_503_alone() {
    // Room for two bodies at once of a MiB each: some of the callers find none.
    let server = Server::start_with(&["--max-upload-mib", "1"]);
    let limited = json!({
        "name": "slow",
        "grants": ["predict:heartbeat-row"],
        "rate": {"per_second": 0.5, "burst": 2},
    });
    let made = server.json("POST", "/v1/keys", &[], &limited);
    assert_eq!(made.status, 201, "{}", made.json());
    let made = made.json();
    let slow = made["key"].as_str().unwrap();
    let (length, body) = binary(1300);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let key = if caller % 4 == 0 { slow } else { OWNER_KEY };
                let (server, length, body) = (&server, &length, &body);
                scope.spawn(move || {
                    let headers = [("x-api-key", key), ("inference-header-content-length", length.as_str())];
                    let ask = |_| server.try_ask("POST", ROW, &headers, body);
                    (0..EACH).map(ask).collect::<Vec<_>>()
                })
            })
            .collect();
        let answers = callers.into_iter().flat_map(|caller| caller.join().unwrap());
        answers
            .map(|answer| {
                let answer = answer.unwrap();
                if matches!(answer.status, 429 | 503) {
                    assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1);
                    assert!(answer.json()["error"].is_string());
                }
                answer.status
            })
            .collect()
    });
    let mut counts = BTreeMap::new();
    statuses
        .iter()
        .for_each(|status| *counts.entry(*status).or_insert(0) += 1);
    assert!(
        counts.keys().all(|status| [200, 429, 503].contains(status)),
        "{counts:?}"
    );
    assert!(counts.contains_key(&200) && counts.contains_key(&429), "{counts:?}");
    let (length, body) = binary(1);
    let after = server.ask("POST", ROW, &[("inference-header-content-length", &length)], &body);
    assert_eq!(after.status, 200);
}
