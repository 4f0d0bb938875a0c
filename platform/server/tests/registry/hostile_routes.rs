//! Every route of the server's own table with names that lead elsewhere in the place of each of its parameters, and every body that names
//! something: nothing outside the data folder is touched, and nothing is taken for a path.

use crate::hostile_names::{NAMES, PATHS, Watched, raw_status};
use serde_json::{Value, json};
use std::process::Command;

/// Methods and paths with parameters.
fn routes() -> Vec<(String, String)> {
    let said = Command::new(env!("CARGO_BIN_EXE_einthoven"))
        .arg("routes")
        .output()
        .unwrap();
    let text = String::from_utf8(said.stdout).unwrap();
    let rows = text.lines().map(|line| {
        let mut words = line.split_whitespace().map(str::to_owned);
        (words.next().unwrap(), words.next().unwrap())
    });
    rows.filter(|(_, path)| path.contains('{')).collect()
}

/// The path with one parameter replaced by the name, and the others by names that there are.
fn with(path: &str, parameter: usize, name: &str) -> Option<String> {
    let mut number = 0;
    let mut found = false;
    let parts: Vec<_> = path
        .split('/')
        .map(|part| {
            if !part.starts_with('{') {
                return part;
            }
            let mine = number == parameter;
            number += 1;
            found |= mine;
            match part {
                _ if mine => name,
                "{model}" => "heartbeat-row",
                "{version}" => "1.0.0",
                _ => "x",
            }
        })
        .collect();
    found.then(|| parts.join("/"))
}

#[test]
fn no_route_takes_a_name_for_a_path() {
    let watched = Watched::start(&[]);
    let routes = routes();
    let mut resources = std::collections::BTreeSet::new();
    for (method, path) in &routes {
        resources.insert(path.split('/').take(3).collect::<Vec<_>>().join("/"));
        for parameter in 0.. {
            let asked = PATHS
                .iter()
                .map_while(|name| with(path, parameter, name))
                .collect::<Vec<_>>();
            if asked.is_empty() {
                break;
            }
            for asked in asked {
                let status = raw_status(&watched.server, method, &asked, "{}");
                assert!((400..500).contains(&status), "{method} {asked}: {status}");
            }
        }
    }
    // What is meant is among them, whatever else there is.
    for resource in [
        "/v1/models",
        "/v2/models",
        "/v1/keys",
        "/v1/users",
        "/v1/issuers",
        "/v1/sources",
        "/v1/jobs",
        "/v1/recordings",
        "/v1/samples",
        "/v1/predictions",
        "/v1/subjects",
        "/v1/experiments",
        "/v1/webhooks",
        "/models/{model}",
        "/assets/{*name}",
    ] {
        assert!(resources.contains(resource), "{resource}: {resources:?}");
    }
    assert_eq!(
        watched.server.get("/v1/models").json()["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    watched.assert_untouched();
}

/// Method, path, a body with the name in it, and whether any text will do because it is only ever shown.
type Naming = (&'static str, &'static str, fn(&str) -> Value, bool);

/// What names something in a body.
const BODIES: &[Naming] = &[
    (
        "POST",
        "/v1/keys",
        |name| json!({"name": name, "grants": ["predict"]}),
        true,
    ),
    (
        "POST",
        "/v1/keys",
        |name| json!({"name": "k", "grants": [format!("predict:{name}")]}),
        false,
    ),
    (
        "POST",
        "/v1/users",
        |name| json!({"name": name, "password": "correct horse battery staple", "roles": ["reader"]}),
        false,
    ),
    (
        "POST",
        "/v1/experiments",
        |name| json!({"name": name, "model": "heartbeat-row", "splits": [{"version": "1.0.0", "share": 0.1}]}),
        false,
    ),
    (
        "POST",
        "/v1/experiments",
        |name| json!({"name": "e", "model": name, "splits": [{"version": "1.0.0", "share": 0.1}]}),
        false,
    ),
    (
        "POST",
        "/v1/experiments",
        |name| json!({"name": "e", "model": "heartbeat-row", "shadows": [{"version": name}]}),
        false,
    ),
    ("PUT", "/v1/sources/s", |name| json!({"settings": {"url": name}}), false),
    (
        "PUT",
        "/v1/sources/s",
        |name| json!({"settings": {"url": "http://127.0.0.1:9", "artifact_roots": [name]}}),
        true,
    ),
    (
        "PUT",
        "/v1/issuers/i",
        |name| json!({"issuer": name, "audience": "a"}),
        false,
    ),
    (
        "POST",
        "/v1/auth/session",
        |name| json!({"name": name, "password": name}),
        false,
    ),
    (
        "POST",
        "/v1/labels",
        |name| json!({"labels": [{"prediction": name, "beat": 0, "label": "N"}]}),
        false,
    ),
    (
        "POST",
        "/v2/repository/models/heartbeat-row/load",
        |name| json!({"parameters": {name: name}}),
        true,
    ),
];

#[test]
fn no_body_takes_a_name_for_a_path() {
    let watched = Watched::start(&[]);
    for (method, path, body, any_text) in BODIES {
        for name in NAMES {
            let answer = watched.server.json(method, path, &[], &body(name));
            let refused = (400..500).contains(&answer.status);
            assert!(
                refused || (*any_text && answer.status < 300),
                "{method} {path} {name:?}: {} {}",
                answer.status,
                answer.json()
            );
        }
    }
    // Queries that name something.
    for query in [
        "/v1/predictions?model=",
        "/v1/predictions?cursor=",
        "/v1/misclassified?model=",
        "/v1/labels/export?model=",
        "/v1/predictions/export?model=",
        "/v1/audit?model=",
        "/v1/samples?x=",
    ] {
        for name in PATHS {
            let status = raw_status(&watched.server, "GET", &format!("{query}{name}"), "");
            assert!((200..500).contains(&status), "{query}{name}: {status}");
        }
    }
    watched.assert_untouched();
}
