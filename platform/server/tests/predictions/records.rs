//! Recordings with reference beats, and what is done with them in every test.

use crate::client::{Answer, OWNER_KEY, Server};
use serde_json::Value;
use std::path::PathBuf;

/// A file of an excerpt of the MIT-BIH Arrhythmia Database, such as `208x.dat`.
pub(crate) fn excerpt(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../ecg/tests/fixtures/mitdb-excerpts");
    std::fs::read(folder.join(name)).unwrap()
}

/// The form of a record's header and signal.
fn form(record: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for ending in ["hea", "dat"] {
        let name = format!("{record}.{ending}");
        body.extend_from_slice(
            format!("--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n").as_bytes(),
        );
        body.extend_from_slice(&excerpt(&name));
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    body
}

/// Sends a record about a person.
pub(crate) fn send(server: &Server, path: &str, record: &str, person: Option<&str>) -> Answer {
    let mut headers = vec![
        ("x-api-key", OWNER_KEY),
        ("content-type", "multipart/form-data; boundary=edge"),
    ];
    headers.extend(person.map(|person| ("x-einthoven-subject", person)));
    server.ask("POST", path, &headers, &form(record))
}

/// Classifies a record about a person; gives the answer.
pub(crate) fn classify(server: &Server, record: &str, person: Option<&str>) -> Value {
    let answer = send(server, "/v1/classify", record, person);
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

/// The name of an answer's entry.
pub(crate) fn named(answer: &Value) -> String {
    let id = answer["prediction"].as_str();
    id.unwrap_or_else(|| panic!("no prediction in {answer}")).to_owned()
}

/// What the journal holds of a prediction.
pub(crate) fn entry(server: &Server, id: &str) -> Value {
    let found = server.get(&format!("/v1/predictions/{id}"));
    assert_eq!(found.status, 200, "{}", found.json());
    found.json()
}

/// Sends the reference beats of a record as labels of a prediction.
pub(crate) fn refer(server: &Server, id: &str, record: &str) -> Answer {
    let path = format!("/v1/predictions/{id}/labels?why=reference");
    server.post(&path, "application/octet-stream", &excerpt(&format!("{record}.atr")))
}

/// All items of a list, page by page.
pub(crate) fn pages(server: &Server, path: &str, limit: usize) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let joint = if path.contains('?') { '&' } else { '?' };
        let after = cursor
            .as_ref()
            .map(|cursor| format!("&cursor={cursor}"))
            .unwrap_or_default();
        let page = server.get(&format!("{path}{joint}limit={limit}{after}"));
        assert_eq!(page.status, 200, "{}", page.json());
        let page = page.json();
        let some = page["items"].as_array().unwrap();
        assert!(some.len() <= limit);
        items.extend(some.iter().cloned());
        match page["next"].as_str() {
            None => return items,
            Some(next) => cursor = Some(next.to_owned()),
        }
    }
}
