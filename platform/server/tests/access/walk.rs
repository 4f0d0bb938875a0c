//! Every route of the server's own table with every kind of credential.

use crate::client::{Answer, Server};
use crate::terminal::run;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::json;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// All scopes but the one that has all others.
const SCOPES: [&str; 6] = [
    "predict",
    "label",
    "models.read",
    "models.write",
    "traffic",
    "audit.read",
];

/// One method of one route.
struct Row {
    method: String,
    /// With names in the place of its parameters.
    path: String,
    names_model: bool,
    scope: Option<String>,
    for_some: bool,
    open: bool,
}

/// The table that the server is built of.
fn table() -> Vec<Row> {
    let said = run(&["routes"]);
    assert!(said.ok, "{said:?}");
    let rows: Vec<_> = said.out.lines().map(row).collect();
    assert!(rows.len() > 60, "{} routes", rows.len());
    rows
}

fn row(line: &str) -> Row {
    let words: Vec<_> = line.split_whitespace().collect();
    let [method, path, part, access, more @ ..] = words.as_slice() else {
        panic!("{line}");
    };
    assert!(["both", "registry", "router"].contains(part), "{line}");
    assert!(more.is_empty() || more == ["for", "some", "model"], "{line}");
    let parts = path.split('/').map(|part| match part {
        "{model}" => "heartbeat",
        "{version}" => "1.0.0",
        part if part.starts_with('{') => "x",
        part => part,
    });
    let scope = !["open", "signed-in"].contains(access);
    Row {
        method: (*method).to_owned(),
        path: parts.collect::<Vec<_>>().join("/"),
        names_model: path.contains("{model}"),
        scope: scope.then(|| (*access).to_owned()),
        for_some: !more.is_empty(),
        open: *access == "open",
    }
}

impl Row {
    fn ask(&self, server: &Server, headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers);
        server.bare(&self.method, &self.path, &all, b"{}").unwrap()
    }

    fn says(&self, answer: &Answer) -> String {
        format!("{} {}: {} {}", self.method, self.path, answer.status, answer.json())
    }
}

/// Whether an answer is a refusal by who calls, whatever its status.
fn refuses_caller(answer: &Answer) -> bool {
    let kind = answer.json()["type"].as_str().unwrap_or_default().to_owned();
    ["not_signed_in", "credential_refused", "missing_scope"]
        .iter()
        .any(|code| kind == format!("/problems/{code}"))
}

/// A key that was good until now.
fn expired_key(server: &Server) -> String {
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_millis(2500);
    let body = json!({"name": "short", "grants": ["admin"], "expires_at": until});
    let made = server.json("POST", "/v1/keys", &[], &body);
    assert_eq!(made.status, 201, "{}", made.json());
    let key = made.json()["key"].as_str().unwrap().to_owned();
    let works = |key: &str| server.ask("GET", "/v1/models", &[("x-api-key", key)], b"").status;
    assert_eq!(works(&key), 200);
    std::thread::sleep(Duration::from_millis(2600));
    key
}

fn revoked_key(server: &Server) -> String {
    let key = server.key("gone", &["admin"]);
    let id = key.split('_').nth(1).unwrap().to_owned();
    assert_eq!(server.delete(&format!("/v1/keys/{id}")).status, 204);
    key
}

fn part(value: &serde_json::Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token that is whole in itself, by an issuer that nobody told this server of, or by somebody who claims to be this server.
fn foreign_token(issuer: &str) -> String {
    let header = json!({"alg": "EdDSA", "typ": "JWT", "kid": "theirs"});
    let text = format!("{}.{}", part(&header), part(&claims(issuer)));
    let signature = SigningKey::from_bytes(&[7; 32]).sign(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

fn claims(issuer: &str) -> serde_json::Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    json!({
        "iss": issuer, "sub": "mallory", "aud": "einthoven", "iat": now, "nbf": now, "exp": now + 600, "jti": "1",
        "scope": "admin", "grants": ["admin"],
    })
}

/// The same without a signature.
fn unsigned_token(issuer: &str) -> String {
    let header = json!({"alg": "none", "typ": "JWT"});
    format!("{}.{}.", part(&header), part(&claims(issuer)))
}

#[test]
fn every_route_refuses_who_does_not_prove_enough_and_lets_in_who_does() {
    let server = Server::start();
    let own = format!("http://{}", server.address);
    let (expired, revoked) = (expired_key(&server), revoked_key(&server));
    let mut wrong = server.key("right", &["admin"]);
    let last = wrong.pop().unwrap();
    wrong.push(if last == 'a' { 'b' } else { 'a' });
    let bearer = |token: &str| format!("Bearer {token}");
    let none: [(&str, String); 0] = [];
    let mut refused: Vec<(&str, Vec<(&str, String)>)> = vec![("none", none.into())];
    for (what, token) in [
        ("malformed", "x".to_owned()),
        ("empty", String::new()),
        ("wrong", wrong),
        ("expired", expired),
        ("revoked", revoked),
        ("foreign", foreign_token("https://elsewhere.example")),
        ("forged", foreign_token(&own)),
        ("unsigned", unsigned_token(&own)),
    ] {
        refused.push((what, vec![("authorization", bearer(&token))]));
        refused.push((what, vec![("x-api-key", token.clone())]));
        if !token.is_empty() {
            let cookie = format!("einthoven_session={token}");
            refused.push((what, vec![("cookie", cookie), ("x-einthoven-page", "1".to_owned())]));
        }
    }
    refused.push((
        "another scheme",
        vec![("authorization", "Basic b3duZXI6b3duZXI=".to_owned())],
    ));
    refused.push(("two words", vec![("authorization", "Bearer a b".to_owned())]));

    let keys: Vec<_> = SCOPES
        .iter()
        .chain(&["admin"])
        .map(|scope| (*scope, server.key(&format!("only-{scope}"), &[scope])))
        .collect();
    let with = |scope: &str| &keys.iter().find(|(name, _)| *name == scope).unwrap().1;
    let others: Vec<_> = SCOPES
        .iter()
        .chain(&["admin"])
        .map(|scope| {
            let rest: Vec<_> = SCOPES.iter().copied().filter(|other| other != scope).collect();
            (*scope, server.key(&format!("all-but-{scope}"), &rest))
        })
        .collect();
    let without = |scope: &str| &others.iter().find(|(name, _)| *name == scope).unwrap().1;
    let elsewhere: Vec<_> = SCOPES
        .iter()
        .map(|scope| {
            (
                *scope,
                server.key(&format!("{scope}-elsewhere"), &[&format!("{scope}:other-*")]),
            )
        })
        .collect();

    for row in table() {
        for (what, headers) in &refused {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let answer = row.ask(&server, &headers);
            if row.open {
                // The page may ask who is there with whatever it has.
                let asks_itself = row.path == "/v1/auth/session" && row.method == "GET";
                assert!(asks_itself || !refuses_caller(&answer), "{what}: {}", row.says(&answer));
                continue;
            }
            assert_eq!(answer.status, 401, "{what}: {}", row.says(&answer));
            let code = if *what == "none" {
                "not_signed_in"
            } else {
                "credential_refused"
            };
            answer.problem(401, code);
            assert!(
                answer.header("www-authenticate").starts_with("Bearer "),
                "{what}: {}",
                row.says(&answer)
            );
        }
        let Some(scope) = row.scope.as_deref() else {
            if !row.open {
                let answer = row.ask(&server, &[("x-api-key", with("predict"))]);
                assert!(!refuses_caller(&answer), "{}", row.says(&answer));
            }
            continue;
        };
        let under = row.ask(&server, &[("x-api-key", without(scope))]);
        let said = under.problem(403, "missing_scope");
        assert!(said.contains(&format!("`{scope}`")), "{said}");
        assert_eq!(under.json()["errors"][0]["pointer"], scope, "{}", row.says(&under));
        for right in [with(scope), with("admin")] {
            let answer = row.ask(&server, &[("authorization", &bearer(right))]);
            assert!(![401, 403].contains(&answer.status), "{}", row.says(&answer));
            assert!(answer.status < 500, "{}", row.says(&answer));
        }
        if let Some((_, key)) = elsewhere.iter().find(|(name, _)| *name == scope)
            && !row.for_some
        {
            let answer = row.ask(&server, &[("x-api-key", key)]);
            let said = answer.problem(403, "missing_scope");
            assert_eq!(said.contains("`heartbeat`"), row.names_model, "{said}");
        }
    }
    // Nothing of it changed anything.
    assert_eq!(server.get("/v1/models").json()["items"].as_array().unwrap().len(), 2);
}

#[test]
fn head_is_as_closed_as_get() {
    let server = Server::start();
    for path in ["/v1/models", "/v1/audit", "/v1/keys"] {
        assert_eq!(server.bare("HEAD", path, &[], b"").unwrap().status, 401, "{path}");
    }
    assert_eq!(server.ask("HEAD", "/v1/models", &[], b"").status, 200);
}
