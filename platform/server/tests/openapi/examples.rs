//! Every operation's example, sent to a server as it stands in the document, and answered as the document says.

use crate::client::{FORM, Server, borrowed, form_of, record_100};
use crate::packages::with_description;
use crate::records::excerpt;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What cannot be asked for alone, and where it is tested.
const ELSEWHERE: [(&str, &str); 10] = [
    ("delete_session", "the page's session: tests/access/sessions.rs"),
    ("freeze_reference", "as many recordings: tests/experiments/drifted.rs"),
    ("open_stream", "a WebSocket: tests/live/stream.rs"),
    ("redeem_link", "of a server that knows nobody: tests/access/links.rs"),
    ("start_oidc", "an issuer that answers: platform/auth/tests/auth"),
    ("finish_oidc", "an issuer that answers: platform/auth/tests/auth"),
    ("test_source", "an MLflow server: tests/mlflow"),
    ("list_source_models", "an MLflow server: tests/mlflow"),
    ("pull_from_source", "an MLflow server: tests/mlflow"),
    ("receive_webhook", "a signature: tests/mlflow/webhook.rs"),
];

/// What must come before others, in this order, and what must come behind them.
const FIRST: [&str; 9] = [
    "create_version",
    "create_user",
    "set_issuer",
    "set_source",
    "create_model",
    "set_alias",
    "start_experiment",
    "create_label",
    "create_evaluation",
];
const LAST: [&str; 17] = [
    "change_experiment",
    "stop_experiment",
    "set_traffic",
    "roll_back",
    "unload_model",
    "load_model",
    "delete_recording",
    "delete_job",
    "delete_subject",
    "delete_source",
    "remove_issuer",
    "delete_user",
    "revoke_key",
    "delete_alias",
    "retire_version",
    "delete_version",
    "delete_model",
];

/// What an example stands for on this server.
struct Stand {
    /// Ids by the beginning of a path.
    ids: BTreeMap<&'static str, String>,
}

impl Stand {
    /// A server of which every id that the document's examples name has something behind it.
    fn of(server: &Server) -> Self {
        let network = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/heartbeat/model.onnx"));
        let network = with_description(&network.unwrap(), 1);
        let asked = server.post(
            "/v1/models/heartbeat/versions?name=model.onnx",
            "application/octet-stream",
            &network,
        );
        asked.problem(422, "incomplete_manifest");
        let digest = &asked.json()["files"][0]["sha256"];
        let ana = json!({"name": "ana", "password": "a long password of hers", "roles": ["viewer"]});
        assert_eq!(server.json("POST", "/v1/users", &[], &ana).status, 201);
        let key = json!({"name": "lost", "grants": ["predict"]});
        let key = server.json("POST", "/v1/keys", &[], &key).json();
        let files = record_100();
        let form = form_of(&borrowed(&files), &[]);
        let sent = |path: &str| {
            let headers = [("content-type", FORM), ("x-einthoven-subject", "p-17")];
            server.ask("POST", path, &headers, &form).json()
        };
        let answer = sent("/v1/classify");
        let recording = sent("/v1/recordings");
        let job = sent("/v1/classify?wait=false");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let prediction = text(&answer["prediction"]);
        let entry = server.get(&format!("/v1/predictions/{prediction}")).json();
        let result = format!("/v1/jobs/{}/result", text(&job["id"]));
        // Its events end with it.
        server.get(&format!("/v1/jobs/{}/events", text(&job["id"])));
        assert_eq!(server.get(&result).status, 200);
        Self {
            ids: BTreeMap::from([
                ("digest", text(digest)),
                ("/v1/predictions", prediction),
                ("/v1/jobs", text(&job["id"])),
                ("/v1/recordings", text(&recording["id"])),
                ("/v1/keys", text(&key["id"])),
                ("/v1/subjects", text(&entry["subject"])),
            ]),
        }
    }

    /// The address of an operation, from the examples of its path and of its query.
    fn address(&self, path: &str, operation: &Value) -> String {
        let (mut address, mut query) = (path.to_owned(), Vec::new());
        for parameter in operation["parameters"].as_array().unwrap() {
            let name = parameter["name"].as_str().unwrap();
            let example = match &parameter["example"] {
                Value::String(text) => encoded(text),
                other => other.to_string(),
            };
            match parameter["in"].as_str() {
                Some("path") => {
                    let own = self.ids.iter().find(|(begin, _)| path.starts_with(**begin));
                    // The model that an example made may go, the one that comes with the server may not.
                    let made = (operation["operationId"] == "delete_model").then(|| "arrhythmia".to_owned());
                    let value = made.as_ref().or(own.map(|(_, id)| id)).unwrap_or(&example);
                    address = address.replace(&format!("{{{name}}}"), value);
                }
                Some("query") if !parameter["example"].is_null() => query.push(format!("{name}={example}")),
                _ => assert_ne!(parameter["required"], true, "{path}: {name} has no example"),
            }
        }
        if query.is_empty() {
            address
        } else {
            format!("{address}?{}", query.join("&"))
        }
    }

    /// The example of its body, or a recording where files are taken.
    fn body(&self, operation: &Value) -> (String, Vec<u8>) {
        let content = &operation["requestBody"]["content"];
        if let Value::Object(_) | Value::Array(_) = &content["application/json"]["example"] {
            let text = content["application/json"]["example"].to_string();
            let text = text.replace("01938f6e-7a3b-7c10-8d55-0d3c2b1a0f9e", &self.ids["/v1/predictions"]);
            let text = text.replace(&format!("sha256:{}", "0".repeat(64)), &self.ids["digest"]);
            return ("application/json".to_owned(), text.into());
        }
        assert!(
            content["application/json"].is_null(),
            "{}: a JSON body without an example",
            operation["operationId"]
        );
        if content.is_null() {
            return ("application/json".to_owned(), Vec::new());
        }
        let files = match operation["operationId"].as_str() {
            Some("create_evaluation") => ["208x.hea", "208x.dat", "208x.atr"]
                .map(|name| (name, excerpt(name)))
                .to_vec(),
            _ => record_100(),
        };
        (FORM.to_owned(), form_of(&borrowed(&files), &[]))
    }
}

/// As it stands in an address.
fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let each = text.bytes().map(|byte| {
        if plain(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    each.collect()
}

/// On a busy machine the trials take longer than the example waits.
fn until_ready(server: &Server, version: &str) {
    loop {
        let phase = server.get(version).json()["phase"]["state"].clone();
        if phase == "ready" {
            return;
        }
        assert_ne!(phase, "rejected");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

#[test]
fn every_example_of_the_document_is_answered_as_the_document_says() {
    let server = Server::start_with(&["--keep-recordings", "--journal", "audit"]);
    let document = server.get("/openapi.json").json();
    let stand = Stand::of(&server);
    let mut all: BTreeMap<String, (String, String, Value)> = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            all.insert(id, (method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    let known: BTreeSet<&str> = ELSEWHERE.iter().map(|(id, _)| *id).collect();
    let place = |id: &str| {
        let behind = LAST
            .iter()
            .position(|last| *last == id)
            .map(|place| place + FIRST.len() + 1);
        behind
            .or_else(|| FIRST.iter().position(|first| *first == id))
            .unwrap_or(FIRST.len())
    };
    let mut order: Vec<&str> = all
        .keys()
        .map(String::as_str)
        .filter(|id| !known.contains(id))
        .collect();
    assert_eq!(
        order.len() + known.len(),
        all.len(),
        "what is tested elsewhere is in the document, too"
    );
    order.sort_by_key(|id| place(id));
    let mut wrong = Vec::new();
    for id in order {
        if id == "set_traffic" {
            // What another version answered before, there is a way back from.
            let other = json!({"champion": "2.0.0"});
            let done = server.json("PUT", "/v1/models/heartbeat/traffic", &[], &other);
            assert_eq!(done.status, 200, "{}", done.json());
        }
        let (method, path, operation) = &all[id];
        let address = stand.address(path, operation);
        let (kind, body) = stand.body(operation);
        let answer = server.ask(method, &address, &[("content-type", &kind)], &body);
        if id == "create_version" {
            until_ready(&server, "/v1/models/heartbeat/versions/2.0.0");
        }
        let documented = &operation["responses"][answer.status.to_string()];
        if answer.status >= 400 || documented.is_null() {
            let said = String::from_utf8_lossy(&answer.bytes[..answer.bytes.len().min(300)]).into_owned();
            wrong.push(format!("{id}: {method} {address}: {} {said}", answer.status));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
