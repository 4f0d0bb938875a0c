//! What every answer says to browsers and caches.

use crate::client::{Answer, Server};

#[test]
fn every_answer_has_the_headers_that_keep_browsers_safe() {
    let server = Server::start();
    let asked = [
        ("GET", "/", 200),
        ("GET", "/v1/system", 200),
        ("GET", "/v1/health/live", 200),
        ("GET", "/v1/models/none", 404),
        ("GET", "/nowhere", 404),
        ("DELETE", "/v1/system", 405),
        ("GET", "/metrics", 200),
        ("POST", "/v1/classify", 400),
    ];
    for (method, path, status) in asked {
        let answer = server.ask(method, path, &[], b"");
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert!(
            answer
                .header("content-security-policy")
                .contains("frame-ancestors 'none'"),
            "{path}"
        );
        let kept = answer.header("cache-control");
        assert!(["no-store", "no-cache"].contains(&kept), "{path}: {kept}");
        assert_eq!(answer.header("strict-transport-security"), "", "not without TLS");
    }
    let nobody = server.bare("GET", "/v1/system", &[], b"").unwrap();
    assert_eq!(
        (nobody.status, nobody.header("x-content-type-options")),
        (401, "nosniff")
    );
    assert!(
        server
            .get("/")
            .header("content-security-policy")
            .contains("script-src 'self'"),
        "the page's own stays"
    );
}

const LAB: &str = "https://lab.example.org";

/// What an answer lets pages of other sites do, by the names of its headers.
fn opened(answer: &Answer) -> Vec<(&str, &str)> {
    let names = answer.headers.keys().map(|name| name.as_str());
    let opening = names.filter(|name| name.starts_with("access-control-"));
    opening.map(|name| (name, answer.header(name))).collect()
}

/// Asks by a page of another site, and before it, as browsers do, whether it may.
fn from(server: &Server, origin: &str) -> (Answer, Answer) {
    let before = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "x-api-key"),
    ];
    let may = server.bare("OPTIONS", "/v1/classify", &before, b"").unwrap();
    (may, server.ask("GET", "/v1/system", &[("origin", origin)], b""))
}

#[test]
fn pages_of_other_sites_are_let_in_only_where_they_are_named() {
    let closed = Server::start();
    let (may, answer) = from(&closed, LAB);
    assert_eq!((opened(&may), opened(&answer)), (vec![], vec![]));

    let open = Server::start_with(&["--cors-origin", LAB]);
    let (may, answer) = from(&open, LAB);
    assert_eq!(may.header("access-control-allow-origin"), LAB);
    assert_eq!(may.header("access-control-allow-headers"), "x-api-key");
    assert!(may.header("access-control-allow-methods").contains("POST"));
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (200, LAB)
    );
    assert!(answer.header("access-control-expose-headers").contains("etag"));
    for answer in [&may, &answer] {
        assert_eq!(
            answer.header("access-control-allow-credentials"),
            "",
            "no cookie is let through"
        );
    }
    let (may, answer) = from(&open, "https://elsewhere.example.org");
    for answer in [&may, &answer] {
        assert_eq!(
            answer.header("access-control-allow-origin"),
            "",
            "a site that was not named"
        );
    }
}
