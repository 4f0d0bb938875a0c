//! A server that nobody is known to: its own machine alone, and one link for the owner.

use crate::client::{OWNER_KEY, Server};
use crate::sessions::cookie;
use crate::terminal::run;
use serde_json::json;

fn link(server: &Server) -> String {
    let path = server.line.split(&server.address).nth(1).unwrap();
    path.split(' ').next().unwrap().to_owned()
}

#[test]
fn the_link_lets_the_owner_in_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_as(folder.path(), &[], None);
    let get = |server: &Server, path: &str, headers: &[(&str, &str)]| server.bare("GET", path, headers, b"").unwrap();
    let said = get(&server, "/v1/models", &[]).problem(401, "not_signed_in");
    assert!(said.contains("link"), "{said}");
    let offers = get(&server, "/v1/auth/session", &[]).json();
    assert_eq!(
        offers["offers"],
        json!({"password": false, "owner_link": true, "issuers": []})
    );

    let first = link(&server);
    assert!(first.starts_with("/v1/auth/link?token="), "{}", server.line);
    get(&server, "/v1/auth/link?token=guessed", &[]).problem(401, "not_confirmed");
    let entered = get(&server, &first, &[]);
    assert_eq!((entered.status, entered.location.as_deref()), (303, Some("/")));
    let session = cookie(&entered);
    let owner = [
        ("cookie", session.as_str()),
        ("x-einthoven-page", "1"),
        ("content-type", "application/json"),
    ];
    assert_eq!(get(&server, "/v1/users", &owner).status, 200);
    // Used is used; a browser is told at the page, and who is in already just goes there.
    get(&server, &first, &[]).problem(401, "not_confirmed");
    let told = get(&server, &first, &[("accept", "text/html,*/*;q=0.8")]);
    assert_eq!((told.status, told.location.as_deref()), (303, Some("/?sign-in=used")));
    assert_eq!(get(&server, &first, &owner).location.as_deref(), Some("/"));

    // A new one at every start until somebody is known.
    assert_eq!(server.terminate(), Some(0));
    let server = Server::start_as(folder.path(), &[], None);
    let second = link(&server);
    assert_ne!(first, second);
    get(&server, &first, &[]).problem(401, "not_confirmed");
    let entered = get(&server, &second, &[]);
    let session = cookie(&entered);
    let owner = [
        ("cookie", session.as_str()),
        ("x-einthoven-page", "1"),
        ("content-type", "application/json"),
    ];
    let body = json!({"name": "ana", "password": "a password that is long", "roles": ["owner"]});
    let added = server
        .bare("POST", "/v1/users", &owner, body.to_string().as_bytes())
        .unwrap();
    assert_eq!(added.status, 201, "{}", added.json());
    assert_eq!(server.terminate(), Some(0));
    let server = Server::start_as(folder.path(), &[], None);
    assert!(!server.line.contains("token"), "{}", server.line);
    get(&server, &second, &[]).problem(401, "not_confirmed");
}

#[test]
fn nobody_known_means_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let serve = [
        "serve",
        "--listen",
        "0.0.0.0:0",
        "--data",
        folder.path().to_str().unwrap(),
    ];
    let refused = run(&serve);
    assert!(
        !refused.ok && refused.err.contains("EINTHOVEN_OWNER_KEY"),
        "{refused:?}"
    );

    // With a key it listens, and goes on with it when it is not named again.
    let listen = ["--listen", "0.0.0.0:0"];
    let server = Server::start_as(folder.path(), &listen, Some(OWNER_KEY));
    assert!(!server.line.contains("token"), "{}", server.line);
    assert_eq!(server.terminate(), Some(0));
    let server = Server::start_as(folder.path(), &listen, None);
    let port = server.address.rsplit(':').next().unwrap();
    let host = format!("localhost:{port}");
    assert_eq!(server.ask("GET", "/v1/models", &[("host", &host)], b"").status, 200);
}

/// A key that lies in a file, with the line's end that editors leave, is the owner's.
#[test]
fn a_key_in_a_file_lets_the_owner_in() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("owner.key");
    std::fs::write(&file, format!("{OWNER_KEY}\n")).unwrap();
    let data = folder.path().join("data");
    let server = Server::start_as(&data, &["--owner-key-file", file.to_str().unwrap()], None);
    assert!(!server.line.contains("/v1/auth/link"), "{}", server.line);
    let by = |key: &str| server.bare("GET", "/v1/keys", &[("x-api-key", key)], b"").unwrap();
    assert_eq!(by(OWNER_KEY).status, 200);
    by("another-key-of-two-dozen-letters").problem(401, "credential_refused");
}
