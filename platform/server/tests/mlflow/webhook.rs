//! Webhooks: a signed call makes the server look at once, any other is refused.

use crate::servers::{einthoven, lab, network, turn};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde_json::json;
use sha2::Sha256;
use std::time::{SystemTime, UNIX_EPOCH};

const SECRET: &str = "known to both";
const PATH: &str = "/v1/webhooks/mlflow/called";

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// As MLflow signs: the delivery, the time and the body.
fn signature(secret: &str, time: u64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("d1.{time}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// The status of a call with these headers.
fn call(path: &str, signature: Option<&str>, time: Option<u64>, delivery: Option<&str>, body: &[u8]) -> u16 {
    let time = time.map(|time| time.to_string());
    let all = [
        ("x-mlflow-signature", signature),
        ("x-mlflow-timestamp", time.as_deref()),
        ("x-mlflow-delivery-id", delivery),
    ];
    let headers: Vec<_> = all
        .iter()
        .filter_map(|(name, value)| Some((*name, (*value)?)))
        .collect();
    einthoven().ask("POST", path, &headers, body).0
}

#[test]
fn a_signed_call_makes_it_look_at_once_and_no_other_does() {
    let _turn = turn();
    let (server, mlflow) = (einthoven(), lab());
    let file = server.folder.join("webhook-secret");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    // Nothing is looked at by time: only a call does it.
    let source = json!({
        "settings": {"url": mlflow.url()},
        "follow": [{"model": "called", "alias": "champion", "promote": true}],
        "webhook_secret_file": file,
    });
    server.send("PUT", "/v1/sources/called", &source);

    let (body, time) = (br#"{"entity": "model_version_alias"}"#.as_slice(), now());
    let good = signature(SECRET, time, body);
    let (old, early) = (time - 3600, time + 3600);
    let refused = [
        call(
            PATH,
            Some(&signature("another", time, body)),
            Some(time),
            Some("d1"),
            body,
        ),
        call(PATH, Some(&good), Some(time), Some("d1"), b"{}"),
        call(PATH, Some(&good), Some(time), Some("d2"), body),
        call(PATH, Some(&good), Some(time - 1), Some("d1"), body),
        call(PATH, Some(&signature(SECRET, old, body)), Some(old), Some("d1"), body),
        call(
            PATH,
            Some(&signature(SECRET, early, body)),
            Some(early),
            Some("d1"),
            body,
        ),
        call(PATH, Some("v1,"), Some(time), Some("d1"), body),
        call(PATH, None, Some(time), Some("d1"), body),
        call(PATH, Some(&good), None, Some("d1"), body),
        call(PATH, Some(&good), Some(time), None, body),
        call("/v1/webhooks/mlflow/nobody", Some(&good), Some(time), Some("d1"), body),
    ];
    assert_eq!(refused, [401; 11]);
    std::fs::write(&file, "\n").unwrap();
    assert_eq!(
        call(PATH, Some(&signature("", time, body)), Some(time), Some("d1"), body),
        401
    );
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    assert!(
        server.status("called")["looked_at_s"].is_null(),
        "a refused call made it look"
    );
    assert_eq!(call(PATH, Some(&good), Some(time), Some("d1"), body), 202);
    crate::servers::until("it was looked at", || server.status("called")["looked_at_s"].as_u64());

    // MLflow's own call, when the alias is set.
    mlflow.step(&["webhook", &format!("{}{PATH}", server.url), SECRET, "called"]);
    mlflow.goes_live(&network("model.onnx"), "called");
    assert_eq!(server.answered_by("called")["version"], "1");
}
