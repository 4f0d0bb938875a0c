//! Pages of other sites, open in a browser on this machine, change nothing here.

use crate::client::Server;

const ROLLBACK: &str = "/v1/models/heartbeat/rollback";

#[test]
fn a_page_elsewhere_cannot_change_anything() {
    let server = Server::start();
    let own = format!("http://{}", server.address);
    let foreign = [
        ("origin", "http://elsewhere.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1:1"),
        ("origin", "file://"),
        ("sec-fetch-site", "cross-site"),
    ];
    for (name, value) in foreign {
        let refused = server.ask("POST", ROLLBACK, &[(name, value), ("content-type", "text/plain")], b"");
        refused.problem(403, "foreign_page");
        assert_eq!(
            server.ask("GET", "/v1/models", &[(name, value)], b"").status,
            200,
            "reading is the browser's to refuse"
        );
    }
    // Its own page, and programs, which send neither header.
    let pages: [&[(&str, &str)]; 3] = [
        &[],
        &[("origin", &own)],
        &[("origin", &own), ("sec-fetch-site", "same-origin")],
    ];
    for headers in pages {
        server
            .ask("POST", ROLLBACK, headers, b"")
            .problem(409, "nothing_before");
    }
}
