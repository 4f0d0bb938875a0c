//! Promoting, going back, aliases, retiring, deleting: each whole or not at all, by whom and why.

use crate::client::Server;
use crate::packages::{labelled, numbered};
use crate::steps::{
    ROW, answers, champion, classify, model, promote, promote_as, ready, roll_back, set_alias, versions,
};
use serde_json::{Value, json};

#[test]
fn promoted_and_taken_back_until_nothing_was_before() {
    let server = Server::start();
    ready(&server, ROW, "2", &numbered(2));
    ready(&server, ROW, "3", &numbered(3));
    assert_eq!(answers(&server, &format!("model={ROW}")), "1.0.0");
    for version in ["2", "3"] {
        let done = promote(&server, ROW, version);
        assert_eq!(
            (done.status, &done.json()["champion"]),
            (200, &json!(version)),
            "{}",
            done.json()
        );
        assert_eq!(answers(&server, &format!("model={ROW}")), version);
    }
    let traffic = server.get(&format!("/v1/models/{ROW}/traffic")).json();
    assert_eq!(traffic["previous"]["champion"], "2");
    for version in ["2", "1.0.0"] {
        let done = roll_back(&server, ROW);
        assert_eq!(
            (done.status, &done.json()["champion"]),
            (200, &json!(version)),
            "{}",
            done.json()
        );
        assert_eq!(answers(&server, &format!("model={ROW}")), version);
    }
    let none = roll_back(&server, ROW).problem(409, "nothing_before");
    assert!(none.contains("no earlier traffic"), "{none}");
    let history = server.get(&format!("/v1/models/{ROW}/history")).json();
    let lines: Vec<_> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["action"].clone())
        .collect();
    assert_eq!(
        lines,
        ["rolled_back", "rolled_back", "promoted", "promoted", "promoted"]
    );
    assert_eq!(history["items"][0]["why"], "it was worse");
    // Promoting what answers already changes nothing.
    assert_eq!(promote(&server, ROW, "1.0.0").status, 200);
    assert_eq!(server.get(&format!("/v1/models/{ROW}/history")).json(), history);
}

#[test]
fn versions_answer_by_name_by_alias_and_by_number() {
    let server = Server::start();
    let digest = ready(&server, ROW, "2", &labelled(["Q", "F", "V", "S", "N"]));
    let set = set_alias(&server, ROW, "canary", "2");
    assert_eq!((set.status, &set.json()["aliases"]), (200, &json!({"canary": "2"})));
    for query in [
        format!("model={ROW}@canary"),
        format!("model={ROW}/2"),
        format!("model={ROW}&version=2"),
        format!("model={ROW}&version=@canary"),
    ] {
        let answer = classify(&server, &query);
        assert_eq!(answer.status, 200, "{query}: {}", answer.json());
        assert_eq!(answer.json()["model"]["digest"], digest, "{query}");
        assert_eq!(answers(&server, &query), "2");
    }
    assert_eq!(answers(&server, &format!("model={ROW}")), "1.0.0");
    classify(&server, &format!("model={ROW}@none")).problem(404, "no_such_alias");
    classify(&server, &format!("model={ROW}/9")).problem(404, "no_such_version");
    classify(&server, "model=nothing").problem(404, "no_such_model");
    classify(&server, &format!("model={ROW}/2&version=2")).problem(422, "bad_field");
    classify(&server, "model=a/b/c").problem(422, "bad_name");
    // An alias is moved and removed; what is not there is said.
    assert_eq!(set_alias(&server, ROW, "canary", "1.0.0").status, 200);
    assert_eq!(answers(&server, &format!("model={ROW}@canary")), "1.0.0");
    set_alias(&server, ROW, "canary", "9").problem(404, "no_such_version");
    let path = format!("/v1/models/{ROW}/aliases/canary");
    assert_eq!(server.delete(&path).status, 200);
    server.delete(&path).problem(404, "no_such_alias");
    classify(&server, &format!("model={ROW}@canary")).problem(404, "no_such_alias");
}

#[test]
fn what_is_pointed_at_stays_and_what_is_retired_is_silent() {
    let server = Server::start();
    ready(&server, ROW, "2", &numbered(2));
    let version = |name: &str| format!("/v1/models/{ROW}/versions/{name}");
    let said = server.delete(&version("1.0.0")).problem(409, "pointed_at");
    assert!(said.contains("the traffic"), "{said}");
    assert_eq!(set_alias(&server, ROW, "canary", "2").status, 200);
    let said = server.delete(&version("2")).problem(409, "pointed_at");
    assert!(said.contains("alias `canary`"), "{said}");
    let retire = |name: &str| {
        server.json(
            "POST",
            &format!("{}/retire", version(name)),
            &[],
            &json!({"reason": "old"}),
        )
    };
    retire("2").problem(409, "pointed_at");
    server.delete(&format!("/v1/models/{ROW}")).problem(409, "pointed_at");

    assert_eq!(server.delete(&format!("/v1/models/{ROW}/aliases/canary")).status, 200);
    assert_eq!(promote(&server, ROW, "2").status, 200);
    assert_eq!(roll_back(&server, ROW).status, 200);
    let retired = retire("2");
    assert_eq!(
        (retired.status, &retired.json()["phase"]["state"]),
        (200, &json!("retired"))
    );
    classify(&server, &format!("model={ROW}/2")).problem(409, "not_ready");
    promote(&server, ROW, "2").problem(409, "wrong_state");
    retire("2").problem(409, "wrong_state");
    assert_eq!(server.delete(&version("2")).status, 204);
    server.delete(&version("2")).problem(404, "no_such_version");
    assert_eq!(versions(&server, ROW), ["1.0.0"]);

    // A model goes with its versions once nothing answers.
    ready(&server, "short", "1", &numbered(9));
    assert_eq!(server.delete("/v1/models/short").status, 204);
    server.get("/v1/models/short").problem(404, "no_such_model");
}

#[test]
fn a_change_decided_on_something_older_is_refused() {
    let server = Server::start();
    ready(&server, ROW, "2", &numbered(2));
    let seen = server.get(&format!("/v1/models/{ROW}")).etag.unwrap();
    assert_eq!(set_alias(&server, ROW, "canary", "2").status, 200);
    let said = promote_as(&server, ROW, "2", &[("if-match", &seen)]).problem(409, "changed_meanwhile");
    assert!(said.contains("look again"), "{said}");
    assert_eq!(champion(&server, ROW), "1.0.0");
    let now = server.get(&format!("/v1/models/{ROW}/traffic")).etag.unwrap();
    assert_eq!(promote_as(&server, ROW, "2", &[("if-match", &now)]).status, 200);
    promote_as(&server, ROW, "2", &[("if-match", "twelve")]).problem(400, "bad_header");
    let path = format!("/v1/models/{ROW}/aliases/canary");
    server
        .ask("DELETE", &path, &[("if-match", &now)], b"")
        .problem(409, "changed_meanwhile");
    assert_eq!(server.ask("DELETE", &path, &[("if-match", "*")], b"").status, 200);
    // The same for what is described and gated.
    let path = format!("/v1/models/{ROW}");
    let patch = |headers: &[(&str, &str)]| server.json("PATCH", &path, headers, &json!({"description": "rows"}));
    patch(&[("if-match", &now)]).problem(409, "changed_meanwhile");
    assert_eq!(patch(&[]).json()["description"], "rows");
    server.json("PATCH", &path, &[], &json!({})).problem(422, "bad_body");
}

#[test]
fn fifty_clients_promote_at_once_and_the_history_is_one_line() {
    let server = Server::start();
    for version in ["2", "3", "4"] {
        ready(&server, ROW, version, &numbered(version.parse().unwrap()));
    }
    let names = ["1.0.0", "2", "3", "4"];
    std::thread::scope(|scope| {
        for client in 0..50 {
            let server = &server;
            scope.spawn(move || {
                let key = server.key(&format!("client-{client}"), &["traffic"]);
                for step in 0..4 {
                    let version = names[(client + step) % names.len()];
                    let done = promote_as(server, ROW, version, &[("x-api-key", &key)]);
                    assert_eq!(
                        (done.status, &done.json()["champion"]),
                        (200, &json!(version)),
                        "{}",
                        done.json()
                    );
                }
            });
        }
    });
    let history = server.get(&format!("/v1/models/{ROW}/history")).json();
    let mut changes: Vec<Value> = history["items"].as_array().unwrap().clone();
    changes.reverse();
    assert_eq!(changes[0]["from"]["champion"], Value::Null);
    for pair in changes.windows(2) {
        assert_eq!(pair[0]["to"], pair[1]["from"]);
        assert!(pair[0]["seq"].as_u64() < pair[1]["seq"].as_u64());
        assert_ne!(pair[1]["from"], pair[1]["to"]);
    }
    assert_eq!(
        changes.last().unwrap()["to"]["champion"],
        champion(&server, ROW).as_str()
    );
    // By If-Match, of those who saw the same exactly one is heard.
    let seen = server.get(&format!("/v1/models/{ROW}")).etag.unwrap();
    let other = names.iter().find(|name| **name != champion(&server, ROW)).unwrap();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let ask = || promote_as(&server, ROW, other, &[("if-match", &seen)]).status;
        let clients: Vec<_> = (0..50).map(|_| scope.spawn(ask)).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        1,
        "{statuses:?}"
    );
    assert!(
        statuses.iter().all(|status| [200, 409].contains(status)),
        "{statuses:?}"
    );
    assert_eq!(model(&server, ROW)["traffic"]["champion"], *other);
}
