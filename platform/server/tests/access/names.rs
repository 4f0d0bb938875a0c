//! By which names the server is reached.

use crate::client::Server;

#[test]
fn it_answers_to_its_own_names_alone() {
    let server = Server::start_with(&[
        "--public-url",
        "https://ecg.example.org",
        "--public-url",
        "http://lab.example:81",
    ]);
    let status = |host: &str| server.ask("GET", "/v1/models", &[("host", host)], b"").status;
    for own in [
        "localhost",
        "127.0.0.1:5000",
        "[::1]:1",
        "ecg.example.org",
        "ECG.example.org",
        "lab.example:81",
    ] {
        assert_eq!(status(own), 200, "{own}");
    }
    for other in [
        "elsewhere.example",
        "ecg.example.org.evil.example",
        "10.0.0.1",
        "",
        "localhost.evil.example",
    ] {
        assert_eq!(status(other), 421, "{other}");
    }
    // Its page may be open by any of its names, and behind a proxy that names another host.
    let post = |host: &str, origin: &str| {
        let headers = [("host", host), ("origin", origin)];
        server
            .ask("POST", "/v1/models/heartbeat/rollback", &headers, b"")
            .status
    };
    assert_eq!(post("ecg.example.org", "https://ecg.example.org"), 409);
    assert_eq!(post("localhost", "https://ecg.example.org"), 409);
    assert_eq!(post("localhost", "https://elsewhere.example"), 403);
    // A WebSocket from another site's page is a GET, and no reading that the browser would refuse.
    let upgrade = [
        ("origin", "https://elsewhere.example"),
        ("upgrade", "websocket"),
        ("connection", "upgrade"),
    ];
    assert_eq!(server.ask("GET", "/v1/models", &upgrade, b"").status, 403);
}

#[test]
fn numbers_are_names_where_it_listens_to_all() {
    let server = Server::start_with(&["--listen", "0.0.0.0:0"]);
    let port = server.address.rsplit(':').next().unwrap().to_owned();
    let status = |host: &str| server.ask("GET", "/v1/models", &[("host", host)], b"").status;
    assert_eq!(status(&format!("10.1.2.3:{port}")), 200);
    assert_eq!(status("[fd00::1]"), 200);
    assert_eq!(status("elsewhere.example"), 421);
}

#[test]
fn cookies_are_for_tls_where_clients_come_by_it() {
    let server = Server::start_with(&["--public-url", "https://ecg.example.org"]);
    let body = serde_json::json!({"name": "ana", "password": "a password that is long", "roles": ["viewer"]});
    assert_eq!(server.json("POST", "/v1/users", &[], &body).status, 201);
    let login = serde_json::json!({"name": "ana", "password": "a password that is long"});
    let secure = |host: &str| {
        let entered = server.json("POST", "/v1/auth/session", &[("host", host)], &login);
        assert_eq!(entered.status, 201, "{}", entered.json());
        entered.header("set-cookie").ends_with("; Secure")
    };
    assert!(secure("ecg.example.org"));
    assert!(!secure("localhost"));
}
