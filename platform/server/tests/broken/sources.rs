//! Who may name a source must not thereby reach what only the server can reach.

use crate::client::Server;
use serde_json::json;
use std::net::TcpListener;

#[test]
fn sources_lie_in_allowed_networks_alone() {
    let server = Server::start_with(&["--source-networks", "10.0.0.0/8,127.0.0.2"]);
    for (url, status) in [
        ("http://10.1.2.3:5000", 201),
        ("http://127.0.0.1:5000", 422),
        ("http://[::1]:5000", 422),
        ("http://169.254.169.254/latest/meta-data", 422),
        ("http://[::ffff:169.254.169.254]", 422),
        ("http://0x7f000001:5000", 422),
        ("http://2130706433:5000", 422),
        ("http://127.1:5000", 422),
        ("http://192.168.0.1", 422),
        ("file:///etc/passwd", 422),
        ("gopher://10.0.0.1", 422),
    ] {
        let answer = server.json("PUT", "/v1/sources/s", &[], &json!({"settings": {"url": url}}));
        assert!(
            answer.status == status || (status == 201 && answer.status == 200),
            "{url}: {}",
            answer.json()
        );
    }
}

/// A name is looked at when it is resolved, each time: what it pointed at before does not count.
#[test]
fn names_that_resolve_elsewhere_are_not_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = Server::start_with(&["--source-networks", "10.0.0.0/8"]);
    let url = format!("http://localhost:{port}");
    let made = server.json("PUT", "/v1/sources/s", &[], &json!({"settings": {"url": url}}));
    assert_eq!(made.status, 201, "{}", made.json());
    let tested = server.json("POST", "/v1/sources/s/test", &[], &json!({}));
    assert!((400..600).contains(&tested.status), "{}", tested.json());
    assert!(listener.accept().is_err(), "it was connected to");
}

#[test]
fn where_clouds_hand_out_credentials_is_never_asked() {
    let server = Server::start();
    for url in [
        "http://169.254.169.254",
        "http://[fd00:ec2::254]",
        "http://100.100.100.200",
    ] {
        let answer = server.json("PUT", "/v1/sources/s", &[], &json!({"settings": {"url": url}}));
        assert_eq!(answer.status, 422, "{url}: {}", answer.json());
    }
}
