//! API keys and the tokens that they are exchanged for: limited, revoked, metered.

use crate::client::{OWNER_KEY, Server, borrowed, record_100};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::{Duration, Instant};

fn status(server: &Server, key: &str, path: &str) -> u16 {
    server.ask("GET", path, &[("x-api-key", key)], b"").status
}

#[test]
fn a_key_is_shown_once_and_refused_within_a_second_of_its_revocation() {
    let server = Server::start();
    let body = json!({"name": "ci", "grants": ["models.read"], "reason": "for the nightly run"});
    let made = server.json("POST", "/v1/keys", &[], &body);
    assert_eq!((made.status, made.header("cache-control")), (201, "no-store"));
    let key = made.json()["key"].as_str().unwrap().to_owned();
    let place = made.location.clone().unwrap();
    assert_eq!(place, format!("/v1/keys/{}", made.json()["id"].as_str().unwrap()));
    assert!(
        key.contains(made.json()["id"].as_str().unwrap()),
        "its beginning is its id"
    );

    // Neither the key nor its hash is anywhere afterwards.
    let secret = key.rsplit('_').next().unwrap();
    let hash: String = Sha256::digest(&key).iter().map(|byte| format!("{byte:02x}")).collect();
    for path in ["/v1/keys", &place, "/v1/audit?limit=1000"] {
        let text = String::from_utf8(server.get(path).bytes).unwrap();
        assert!(!text.contains(secret) && !text.contains(&hash), "{path}: {text}");
    }
    let log = std::fs::read_to_string(server.data.join("registry/log/events.jsonl")).unwrap();
    assert!(!log.contains(secret) && log.contains(&hash), "the log is for ever");

    assert_eq!(status(&server, &key, "/v1/models"), 200);
    let session = server
        .ask("GET", "/v1/auth/session", &[("x-api-key", &key)], b"")
        .json();
    assert_eq!(
        (&session["name"], &session["grants"]),
        (&json!("key:ci"), &json!(["models.read"]))
    );
    let token = server.json(
        "POST",
        "/v1/auth/token",
        &[("x-api-key", &key)],
        &json!({"grants": ["models.read"]}),
    );
    assert_eq!(token.status, 201, "{}", token.json());
    let token = format!("Bearer {}", token.json()["token"].as_str().unwrap());
    let by_token = || {
        server
            .ask("GET", "/v1/models", &[("authorization", &token)], b"")
            .status
    };
    assert_eq!(by_token(), 200);

    assert_eq!(server.delete(&place).status, 204);
    let start = Instant::now();
    while status(&server, &key, "/v1/models") != 401 || by_token() != 401 {
        assert!(start.elapsed() < Duration::from_secs(1), "still taken after a second");
    }
    server.delete(&place).problem(404, "no_such_key");
    server.get(&place).problem(404, "no_such_key");
}

#[test]
fn a_key_for_one_model_is_refused_for_another() {
    let server = Server::start();
    let key = server.key(
        "heart",
        &["predict:heartbeat", "models.read:heartbeat", "models.write:lab-*"],
    );
    let head = [("x-api-key", key.as_str())];
    let get = |path: &str| server.ask("GET", path, &head, b"");
    assert_eq!(get("/v1/models/heartbeat").status, 200);
    get("/v1/models/heartbeat-row").problem(403, "missing_scope");
    // What is not there is refused as what is: nobody learns names so.
    get("/v1/models/heartbeat-nothing").problem(403, "missing_scope");

    let named = |list: &Value, field: &str| -> Vec<String> {
        let items = list.as_array().unwrap().iter();
        items.map(|item| item[field].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(named(&get("/v1/models").json()["items"], "name"), ["heartbeat"]);
    assert_eq!(named(&get("/v1/instances").json()["items"], "model"), ["heartbeat"]);
    assert_eq!(named(&get("/v1/system").json()["models"], "name"), ["heartbeat"]);
    assert_eq!(named(&server.get("/v1/models").json()["items"], "name").len(), 2);

    let (files, text) = (
        record_100(),
        [("x-api-key", key.as_str()), ("content-type", "text/csv")],
    );
    let rows = "0.1,".repeat(187) + "0\n";
    let ask = |query: &str| {
        server.ask(
            "POST",
            &format!("/v1/classify?name=rows.csv{query}"),
            &text,
            rows.as_bytes(),
        )
    };
    ask("").problem(403, "missing_scope");
    ask("&model=heartbeat-row/1.0.0").problem(403, "missing_scope");
    let form = server.form_as(&key, "/v1/recordings", &borrowed(&files), &[]);
    assert_eq!(form.status, 201, "{}", form.json());

    // Who may use another model alone does not see what this one found.
    let other = server.key("rows", &["predict:heartbeat-row"]);
    let place = form.location.unwrap();
    assert_eq!(status(&server, &other, &place), 404);
    assert_eq!(status(&server, &key, &place), 200);
    let list = server.ask("GET", "/v1/recordings", &[("x-api-key", &other)], b"");
    assert_eq!(list.json()["items"], json!([]));

    let create = |name: &str| server.json("POST", "/v1/models", &head, &json!({"name": name}));
    create("mine").problem(403, "missing_scope");
    assert_eq!(create("lab-rows").status, 201);
    get("/v1/models/lab-rows").problem(403, "missing_scope");
}

#[test]
fn what_promotes_needs_traffic_and_what_names_files_needs_the_owner() {
    let server = Server::start();
    let key = server.key("data", &["models.write"]);
    let set = |body: Value| server.json("PUT", "/v1/sources/lab", &[("x-api-key", &key)], &body);
    let url = "http://127.0.0.1:9";
    let rule = json!([{"model": "net", "alias": "champion", "promote": true}]);
    let said = set(json!({"settings": {"url": url}, "follow": rule})).problem(403, "missing_scope");
    assert!(said.contains("`traffic`"), "{said}");
    let file = json!({"kind": "bearer", "token_file": server.data.join("auth")});
    let said = set(json!({"settings": {"url": url, "credentials": file}})).problem(403, "missing_scope");
    assert!(said.contains("`admin`"), "{said}");
    set(json!({"settings": {"url": url}, "webhook_secret_file": "/etc/hostname"})).problem(403, "missing_scope");
    assert_eq!(set(json!({"settings": {"url": url}})).status, 201);
    let body = json!({"reference": "net@champion", "promote": true});
    server
        .json("POST", "/v1/sources/lab/pull", &[("x-api-key", &key)], &body)
        .problem(403, "missing_scope");
}

#[test]
fn a_key_is_metered_and_its_neighbours_are_not() {
    let server = Server::start();
    let body = json!({"name": "slow", "grants": ["models.read"], "rate": {"per_second": 1.0, "burst": 3}});
    let made = server.json("POST", "/v1/keys", &[], &body);
    let key = made.json()["key"].as_str().unwrap().to_owned();
    let ask = || server.ask("GET", "/v1/models", &[("x-api-key", &key)], b"");
    let answers: Vec<_> = (0..20).map(|_| ask()).collect();
    let passed = answers.iter().filter(|answer| answer.status == 200).count();
    assert!((3..=6).contains(&passed), "{passed} of 20 passed");
    let refused = answers.last().unwrap();
    refused.problem(429, "too_many_requests");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=3).contains(&wait), "{wait} s");
    assert_eq!(status(&server, OWNER_KEY, "/v1/models"), 200);
    // A token of the key's is the key's.
    let start = Instant::now();
    while ask().status != 200 {
        assert!(start.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(200));
    }
    // As fast as it likes, from now on.
    let place = made.location.clone().unwrap();
    let body = json!({"grants": ["models.read"], "rate": null, "expires_at": null});
    let changed = server.json("PATCH", &place, &[], &body);
    assert_eq!((changed.status, &changed.json()["rate"]), (200, &Value::Null));
    std::thread::sleep(Duration::from_secs(1));
    assert!((0..20).all(|_| ask().status == 200));
}

#[test]
fn a_token_does_no_more_than_it_was_asked_for_and_than_its_maker() {
    let server = Server::start();
    let key = server.key("wide", &["predict", "models.read"]);
    let ask = |grants: Value, ttl: u64| {
        let body = json!({"grants": grants, "ttl_s": ttl});
        server.json("POST", "/v1/auth/token", &[("x-api-key", &key)], &body)
    };
    ask(json!(["admin"]), 60).problem(403, "more_than_yours");
    ask(json!(["models.write:heartbeat"]), 60).problem(403, "more_than_yours");
    ask(json!(["reading"]), 60).problem(422, "bad_body");
    let narrow = ask(json!(["models.read:heartbeat"]), 60);
    assert_eq!(
        (narrow.status, narrow.header("cache-control")),
        (201, "no-store"),
        "{}",
        narrow.json()
    );
    let token = narrow.json()["token"].as_str().unwrap().to_owned();
    let head = format!("Bearer {token}");
    let get = |path: &str| server.ask("GET", path, &[("authorization", &head)], b"");
    assert_eq!(get("/v1/models/heartbeat").status, 200);
    get("/v1/models/heartbeat-row").problem(403, "missing_scope");
    // Nor does a token that it asks for in turn.
    let body = json!({"grants": ["models.read"]});
    server
        .json("POST", "/v1/auth/token", &[("authorization", &head)], &body)
        .problem(403, "more_than_yours");
    let jwks = server.bare("GET", "/.well-known/jwks.json", &[], b"").unwrap();
    assert_eq!(jwks.json()["keys"][0]["crv"], "Ed25519", "{}", jwks.json());
    assert!(jwks.json()["keys"][0]["d"].is_null(), "the private half stays here");
}

#[test]
fn what_cannot_be_a_key_is_refused_with_the_field() {
    let server = Server::start();
    let make = |body: Value| server.json("POST", "/v1/keys", &[], &body);
    make(json!({"name": "a b", "grants": ["predict"]})).problem(422, "bad_body");
    make(json!({"name": "a", "grants": ["everything"]})).problem(422, "bad_body");
    make(json!({"name": "a", "grants": ["predict"], "rate": {"per_second": 0.0, "burst": 1}}))
        .problem(422, "bad_field");
    make(json!({"name": "a", "grants": ["predict"], "expires_at": "2001-01-01T00:00:00Z"})).problem(422, "bad_field");
    assert_eq!(make(json!({"name": "a", "grants": ["predict"]})).status, 201);
    make(json!({"name": "a", "grants": ["predict"]})).problem(409, "exists_already");
    let keys = server.get("/v1/keys").json();
    assert_eq!(
        keys["items"].as_array().unwrap().len(),
        2,
        "the owner's and that one: {keys}"
    );
}
