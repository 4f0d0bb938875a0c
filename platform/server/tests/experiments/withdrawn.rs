//! A challenger that breaks a rail goes by itself, and those who want to know are told.

use crate::client::Server;
use crate::records::classify;
use crate::setup::{HEARTBEAT, mislabelled, start, until};
use base64::Engine;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;

const SECRET: &str = "the-webhooks-secret-in-tests";

/// Takes one call; gives its header by lower-case name, and its body.
fn one_call(listener: &TcpListener) -> (std::collections::HashMap<String, String>, String) {
    let (stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream);
    let mut header = std::collections::HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            header.insert(name.to_lowercase(), value.trim().to_owned());
        }
    }
    let mut body = vec![0; header["content-length"].parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    reader
        .get_mut()
        .write_all(b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n")
        .unwrap();
    (header, String::from_utf8(body).unwrap())
}

#[test]
fn whoever_breaks_a_rail_is_withdrawn_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, SECRET).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let hook = format!("http://{}/hook", listener.local_addr().unwrap());
    let server = Server::start_with(&[
        "--guard-every-s",
        "1",
        "--experiment-webhook",
        &hook,
        "--experiment-webhook-secret",
        secret.to_str().unwrap(),
    ]);
    mislabelled(&server, "2");
    let wanted = json!({
        "name": "guarded", "model": HEARTBEAT, "shadows": [{"version": "2", "percent": 100}],
        "rules": {"rails": {"least_recordings": 8}},
    });
    start(&server, &wanted);
    let withdrawals = || server.counted("einthoven_experiment_withdrawals_total");
    assert_eq!(withdrawals(), 0.0);
    for person in 0..4 {
        for record in ["100x", "203x", "208x"] {
            classify(&server, record, Some(&format!("{record} of {person}")));
        }
    }
    let over = until(&server, "guarded", |experiment| experiment["running"] == false);
    let withdrawn = &over["withdrawn"][0];
    assert_eq!(
        (&withdrawn["by"], &withdrawn["shadow"]),
        (&json!("einthoven"), &json!(true))
    );
    assert_eq!(withdrawn["broken"][0]["rail"], "class_shares", "{withdrawn}");
    assert!(
        withdrawn["why"].as_str().unwrap().contains("class shares moved"),
        "{withdrawn}"
    );
    assert_eq!(over["ended"]["withdrawn"], true);
    let traffic = server.get(&format!("/v1/models/{HEARTBEAT}/traffic")).json();
    assert_eq!(
        (&traffic["champion"], &traffic["shadows"]),
        (&json!("1.0.0"), &Value::Null)
    );
    // The audit trail has it, with the reason.
    let audit = server.get("/v1/audit?who=einthoven&limit=2").json();
    assert_eq!(audit["items"][1]["event"]["kind"], "challenger_withdrawn", "{audit}");
    assert_eq!(audit["items"][1]["why"], withdrawn["why"]);
    // It does not come back at once, by whichever way.
    let again = json!({"name": "again", "model": HEARTBEAT, "shadows": [{"version": "2", "percent": 100}]});
    server
        .json("POST", "/v1/experiments", &[], &again)
        .problem(409, "cooling");
    let by_hand = json!({"champion": "1.0.0", "shadows": [{"version": "2", "percent": 100}]});
    let path = format!("/v1/models/{HEARTBEAT}/traffic");
    server.json("PUT", &path, &[], &by_hand).problem(409, "cooling");

    let (header, body) = one_call(&listener);
    let told: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(withdrawals(), 1.0);
    assert_eq!(
        (&told["event"], &told["version"]),
        (&json!("challenger_withdrawn"), &json!("2"))
    );
    let signed = format!(
        "{}.{}.{body}",
        header["x-einthoven-delivery-id"], header["x-einthoven-timestamp"]
    );
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    let expected = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    assert_eq!(header["x-einthoven-signature"], format!("v1,{expected}"));
}
