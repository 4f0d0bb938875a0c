//! People: signing in with a password, the page's cookie, signing out.

use crate::client::{Answer, Server};
use serde_json::json;
use std::time::Duration;

const PASSWORD: &str = "einthoven's triangle, 1912";

fn add(server: &Server, name: &str, role: &str) {
    let body = json!({"name": name, "password": PASSWORD, "roles": [role]});
    let added = server.json("POST", "/v1/users", &[], &body);
    assert_eq!(added.status, 201, "{}", added.json());
    assert!(
        !String::from_utf8_lossy(&added.bytes).contains("argon2"),
        "{}",
        added.json()
    );
}

fn sign_in(server: &Server, name: &str, password: &str) -> Answer {
    let body = json!({"name": name, "password": password}).to_string();
    let json = [("content-type", "application/json")];
    server.bare("POST", "/v1/auth/session", &json, body.as_bytes()).unwrap()
}

/// The cookie as a browser sends it back.
pub(crate) fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie");
    let value = set.split(';').next().unwrap();
    assert!(value.starts_with("einthoven_session=") && value.len() > 30, "{set}");
    value.to_owned()
}

#[test]
fn somebody_signs_in_works_and_signs_out() {
    let server = Server::start();
    add(&server, "ana", "operator");
    let entered = sign_in(&server, "ana", PASSWORD);
    assert_eq!(entered.status, 201, "{}", entered.json());
    let set = entered.header("set-cookie");
    for part in ["; Path=/;", "HttpOnly", "SameSite=Strict"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Secure"), "there is no TLS here: {set}");
    let cookie = cookie(&entered);
    let ask = |method: &str, path: &str, more: &[(&str, &str)], body: &[u8]| {
        let mut headers = vec![("cookie", cookie.as_str()), ("content-type", "application/json")];
        headers.extend(more);
        server.bare(method, path, &headers, body).unwrap()
    };
    let page = [("x-einthoven-page", "1")];
    let session = ask("GET", "/v1/auth/session", &[], b"").json();
    assert_eq!(
        (&session["signed_in"], &session["name"]),
        (&json!(true), &json!("user:ana"))
    );

    // Another site's page makes a browser send the cookie, but not the header.
    let body = br#"{"champion": "1.0.0", "reason": "as it was"}"#;
    let path = "/v1/models/heartbeat/traffic";
    ask("PUT", path, &[], body).problem(403, "foreign_page");
    let origin = [("origin", "http://elsewhere.example"), page[0]];
    ask("PUT", path, &origin, body).problem(403, "foreign_page");
    assert_eq!(ask("PUT", path, &page, body).status, 200);
    ask("POST", "/v1/models", &page, br#"{"name": "x"}"#).problem(403, "missing_scope");
    ask("GET", "/v1/users", &[], b"").problem(403, "missing_scope");

    assert_eq!(ask("DELETE", "/v1/auth/session", &page, b"").status, 204);
    ask("GET", "/v1/models", &[], b"").problem(401, "credential_refused");
    let nobody = ask("GET", "/v1/auth/session", &[], b"").json();
    assert_eq!(nobody["signed_in"], false);
    assert_eq!(
        nobody["offers"],
        json!({"password": true, "owner_link": false, "issuers": []})
    );
}

#[test]
fn wrong_passwords_tell_nothing() {
    let server = Server::start();
    add(&server, "ana", "viewer");
    let wrong = sign_in(&server, "ana", "guessed").problem(401, "wrong_password");
    let unknown = sign_in(&server, "nobody", "guessed").problem(401, "wrong_password");
    assert_eq!(wrong, unknown);
    assert!(sign_in(&server, "ana", "guessed").header("set-cookie").is_empty());
    let json = [("content-type", "application/json")];
    for body in ["{}", r#"{"name": "ana"}"#, r#"{"name": "ana", "password": 1}"#, "[]"] {
        let answer = server.bare("POST", "/v1/auth/session", &json, body.as_bytes()).unwrap();
        answer.problem(422, "bad_body");
    }
    assert_eq!(sign_in(&server, "ana", PASSWORD).status, 201);
}

#[test]
fn everywhere_means_everywhere_and_a_new_password_too() {
    let server = Server::start();
    add(&server, "ana", "viewer");
    // Sessions are dated to seconds, and none to the one in which its user was made.
    std::thread::sleep(Duration::from_millis(1100));
    let sessions: Vec<_> = (0..3).map(|_| cookie(&sign_in(&server, "ana", PASSWORD))).collect();
    let status = |cookie: &str| server.ask("GET", "/v1/models", &[("cookie", cookie)], b"").status;
    assert!(sessions.iter().all(|cookie| status(cookie) == 200));
    let headers = [("cookie", sessions[0].as_str()), ("x-einthoven-page", "1")];
    let path = "/v1/auth/session?everywhere=true";
    assert_eq!(server.bare("DELETE", path, &headers, b"").unwrap().status, 204);
    assert!(sessions.iter().all(|cookie| status(cookie) == 401));

    let again = cookie(&sign_in(&server, "ana", PASSWORD));
    assert_eq!(status(&again), 200);
    std::thread::sleep(Duration::from_millis(1100));
    let body = json!({"password": "another one, much longer"});
    assert_eq!(server.json("PATCH", "/v1/users/ana", &[], &body).status, 200);
    assert_eq!(status(&again), 401);
    sign_in(&server, "ana", PASSWORD).problem(401, "wrong_password");
    let again = cookie(&sign_in(&server, "ana", "another one, much longer"));
    assert_eq!(server.delete("/v1/users/ana").status, 204);
    assert_eq!(status(&again), 401);
}

#[test]
fn sessions_outlive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), &[]);
    add(&server, "ana", "viewer");
    let cookie = cookie(&sign_in(&server, "ana", PASSWORD));
    assert_eq!(server.terminate(), Some(0));
    let server = Server::start_in(folder.path(), &[]);
    assert_eq!(server.ask("GET", "/v1/models", &[("cookie", &cookie)], b"").status, 200);
}
