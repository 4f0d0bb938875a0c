//! What every answer says to browsers and caches.

use crate::client::Server;

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
