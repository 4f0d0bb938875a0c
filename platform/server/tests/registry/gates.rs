//! What a promotion needs, and what is written down of every change.

use crate::client::Server;
use crate::packages::{numbered, row_file};
use crate::steps::{ROW, champion, promote_as, ready, set_alias};
use serde_json::{Value, json};

fn set_gate(server: &Server, gate: &Value) {
    let body = json!({"gate": gate, "reason": "a rule"});
    let done = server.json("PATCH", &format!("/v1/models/{ROW}"), &[], &body);
    assert_eq!(
        (done.status, &done.json()["gate"]["card"]),
        (200, &gate["card"]),
        "{}",
        done.json()
    );
}

#[test]
fn a_gate_asks_for_a_card_and_for_a_second_person() {
    let server = Server::start();
    ready(&server, ROW, "bare", &numbered(1));
    let mut carded = numbered(2);
    carded.insert("CARD.md".to_owned(), row_file("CARD.md"));
    ready(&server, ROW, "carded", &carded);
    set_gate(&server, &json!({"card": true, "second_person": true}));
    let ana = server.key("ana", &["admin"]);
    let ana = [("x-api-key", ana.as_str())];
    let said = promote_as(&server, ROW, "bare", &ana).problem(409, "gate");
    assert!(said.contains("CARD.md"), "{said}");
    let proposed = promote_as(&server, ROW, "carded", &ana);
    assert_eq!(proposed.status, 202, "{}", proposed.json());
    assert_eq!(proposed.json()["proposal"]["by"], "key:ana");
    assert_eq!(champion(&server, ROW), "1.0.0");
    let alone = promote_as(&server, ROW, "carded", &ana).problem(409, "gate");
    assert!(alone.contains("second person"), "{alone}");
    let ben = server.key("ben", &["traffic"]);
    let done = promote_as(&server, ROW, "carded", &[("x-api-key", &ben)]);
    assert_eq!(done.status, 200, "{}", done.json());
    assert_eq!(champion(&server, ROW), "carded");
    // The way back is open: an emergency waits for nobody.
    let path = format!("/v1/models/{ROW}/rollback");
    assert_eq!(server.json("POST", &path, &ana, &json!({})).status, 200);
    assert_eq!(champion(&server, ROW), "1.0.0");
}

#[test]
fn a_gate_asks_for_a_measure() {
    let server = Server::start();
    ready(&server, ROW, "2", &numbered(2));
    set_gate(
        &server,
        &json!({"card": false, "metric": {"set": "frozen", "metric": "macro_f1", "at_least": 0.9}}),
    );
    let said = promote_as(&server, ROW, "2", &[]).problem(409, "gate");
    assert!(said.contains("not evaluated") && said.contains("frozen"), "{said}");
    let path = format!("/v1/models/{ROW}");
    server
        .json("PATCH", &path, &[], &json!({"gate": {"cards": true}}))
        .problem(422, "bad_body");
}

#[test]
fn the_audit_knows_who_when_why_and_pages() {
    let server = Server::start();
    ready(&server, ROW, "2", &numbered(2));
    let ana = server.key("ana", &["admin"]);
    let ana = [("x-api-key", ana.as_str())];
    for index in 0..7 {
        let version = if index % 2 == 0 { "2" } else { "1.0.0" };
        let body = json!({"champion": version, "reason": format!("reason {index}")});
        let done = server.json("PUT", &format!("/v1/models/{ROW}/traffic"), &ana, &body);
        assert_eq!(done.status, 200, "{}", done.json());
    }
    assert_eq!(set_alias(&server, ROW, "canary", "2").status, 200);
    let list = |query: &str| {
        let answer = server.get(&format!("/v1/audit?{query}"));
        assert_eq!(answer.status, 200, "{}", answer.json());
        answer.json()
    };
    let all = list("limit=1000")["items"].as_array().unwrap().clone();
    let seqs: Vec<_> = all.iter().map(|entry| entry["seq"].as_u64().unwrap()).collect();
    assert_eq!(
        seqs,
        (1..=seqs.len() as u64).rev().collect::<Vec<_>>(),
        "every entry, newest first"
    );
    assert!(
        all.iter()
            .all(|entry| entry["at"].is_string() && entry["who"].is_string() && entry["hash"].is_string())
    );
    let hers = list("who=key:ana")["items"].as_array().unwrap().clone();
    assert_eq!(hers.len(), 7);
    assert_eq!(
        (&hers[0]["why"], &hers[0]["event"]["kind"]),
        (&json!("reason 6"), &json!("traffic_changed"))
    );
    assert_eq!(hers[0]["event"]["from"]["champion"], "1.0.0");
    assert_eq!(list("who=nobody")["items"], json!([]));
    let about = list("model=heartbeat&limit=1000")["items"].as_array().unwrap().clone();
    assert!(!about.is_empty() && about.iter().all(|entry| entry["event"]["model"] == "heartbeat"));

    // Pages, of all and of a filter, are all entries once.
    for filter in [
        "",
        "&who=key:ana",
        &format!("&model={ROW}"),
        &format!("&model={ROW}&who=key:ana"),
    ] {
        let whole = list(&format!("limit=1000{filter}"))["items"].clone();
        let (mut paged, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = list(&format!("limit=3{filter}{cursor}"));
            paged.extend(page["items"].as_array().unwrap().clone());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(Value::from(paged), whole, "{filter}");
    }
    let head = server.get("/v1/audit/heads").json();
    assert_eq!((&head["seq"], &head["hash"]), (&all[0]["seq"], &all[0]["hash"]));
    server.get("/v1/audit?cursor=x").problem(400, "bad_query");
    server.get("/v1/audit?whom=ana").problem(400, "bad_query");

    // What is no one-line reason.
    let body = json!({"champion": "1.0.0", "reason": "two\nlines"});
    let path = format!("/v1/models/{ROW}/traffic");
    server.json("PUT", &path, &ana, &body).problem(422, "bad_field");
    let body = json!({"champion": "1.0.0", "reason": "x".repeat(501)});
    server.json("PUT", &path, &ana, &body).problem(422, "bad_field");
    let body = json!({"champion": "1.0.0", "because": "x"});
    server.json("PUT", &path, &ana, &body).problem(422, "bad_body");
}
