//! A name that was deleted and is used again stands for its new content alone.

use crate::client::Server;
use crate::packages::{Package, labelled, numbered, with, wrong_golden, zip};
use crate::steps::{ROW, classify, labels, ready, upload};
use serde_json::json;

const PLAIN: [&str; 5] = ["N", "S", "V", "F", "Q"];
const TURNED: [&str; 5] = ["Q", "F", "V", "S", "N"];

fn delete(server: &Server) {
    let gone = server.delete(&format!("/v1/models/{ROW}/versions/x"));
    assert_eq!(gone.status, 204, "{}", gone.json());
}

#[test]
fn a_name_used_again_answers_with_its_new_content() {
    let server = Server::start();
    for round in 0..6 {
        let order = if round % 2 == 0 { PLAIN } else { TURNED };
        let digest = ready(&server, ROW, "x", &labelled(order));
        let document = classify(&server, &format!("model={ROW}/x")).json();
        assert_eq!(document["model"]["digest"], digest, "round {round}");
        assert_eq!(labels(&document), order, "round {round}");
        delete(&server);
    }
}

#[test]
fn a_verdict_is_of_what_was_judged() {
    let server = Server::start();
    let start = |package: &Package| {
        let path = format!("/v1/models/{ROW}/versions?name=package.zip&version=x");
        let sent = server.post(&path, "application/zip", &zip(package));
        assert_eq!(sent.status, 202, "{}", sent.json());
    };
    // The first is deleted during its trial; its verdict would be the wrong one for the second.
    for round in 0..4 {
        start(&numbered(100 + round));
        delete(&server);
        let wrong = |text: String| {
            let mut package = with(json!({"description": text}));
            package.insert("golden.json".to_owned(), wrong_golden()["golden.json"].clone());
            package
        };
        let second = upload(&server, ROW, "x", &wrong(format!("wrong {round}")));
        assert_eq!(second.json()["phase"]["state"], "rejected", "{}", second.json());
        delete(&server);
        start(&wrong(format!("wrong again {round}")));
        delete(&server);
        ready(&server, ROW, "x", &numbered(200 + round));
        delete(&server);
    }
}
