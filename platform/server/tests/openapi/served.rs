//! The document and its reference, as anybody gets them.

use crate::client::Server;
use serde_json::Value;
use std::path::Path;

fn committed(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn both_editions_are_served_to_anybody_as_they_are_committed() {
    let server = Server::start();
    for name in ["openapi.json", "openapi-3.0.json"] {
        let answer = server.bare("GET", &format!("/{name}"), &[], b"").unwrap();
        assert_eq!((answer.status, answer.content_type.as_str()), (200, "application/json"));
        assert!(answer.json() == committed(name), "{name}: run `cargo xtask openapi`");
    }
    let page = server.bare("GET", "/docs", &[], b"").unwrap();
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
}
