//! People who sign in at an issuer: the browser's way there and back, with a real issuer.

use crate::client::{Answer, Server};
use crate::django::Django;
use serde_json::json;
use std::time::{Duration, Instant};

/// Longest wait until the server knows the issuer's keys.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that takes the people of an issuer, which knows the way back to it.
fn trusting() -> (Server, Django) {
    let server = Server::start();
    let back = format!("http://{}/v1/auth/oidc/lab/callback", server.address);
    let issuer = Django::start(&back);
    let rule = |value: &str, grant: &str| json!({"claim": "groups", "value": value, "grants": [grant]});
    let settings = json!({
        "issuer": format!("{}/o", issuer.root),
        "audiences": ["page"],
        "algorithms": ["RS256"],
        "rules": [rule("staff", "models.read"), rule("owners", "admin")],
        "login": {"client_id": "page"},
    });
    let set = server.json("PUT", "/v1/issuers/lab", &[], &json!({"settings": settings}));
    assert!(set.status < 300, "{}", set.json());
    (server, issuer)
}

/// Sends the browser away, as soon as the issuer's keys are known; gives its cookie and the address.
fn away(server: &Server) -> (String, String) {
    let start = Instant::now();
    loop {
        let sent = server.bare("GET", "/v1/auth/oidc/lab/start", &[], b"").unwrap();
        if sent.status == 303 {
            let set = sent.header("set-cookie");
            for part in ["HttpOnly", "SameSite=Lax", "Path=/v1/auth/oidc"] {
                assert!(set.contains(part), "{set}");
            }
            assert_eq!(sent.header("cache-control"), "no-store");
            let cookie = set.split(';').next().unwrap().to_owned();
            return (cookie, sent.location.unwrap());
        }
        assert!(start.elapsed() < PATIENCE, "{}", sent.json());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What the issuer sends the browser back to, as a path of the server.
fn signed_in(address: &str, server: &Server) -> String {
    let config = ureq::Agent::config_builder()
        .max_redirects(0)
        .max_redirects_will_error(false);
    let browser = config.build().new_agent();
    let answer = browser.get(address).call().unwrap();
    let back = answer.headers()["location"].to_str().unwrap().to_owned();
    let path = back.strip_prefix(&format!("http://{}", server.address));
    path.unwrap_or_else(|| panic!("{back}")).to_owned()
}

fn back(server: &Server, cookie: &str, path: &str) -> Answer {
    let headers = [("cookie", cookie), ("accept", "text/html")];
    server.bare("GET", path, &headers, b"").unwrap()
}

#[test]
fn a_browser_goes_to_an_issuer_and_comes_back_signed_in() {
    let (server, _issuer) = trusting();
    let (login, address) = away(&server);
    let path = signed_in(&address, &server);

    // Another browser that was given the way back, as in a mail, is not signed in by it.
    let (other, _) = away(&server);
    let stranger = back(&server, &other, &path);
    assert_eq!(stranger.location.as_deref(), Some("/?sign-in=used"));
    let without = server.bare("GET", &path, &[], b"").unwrap();
    assert!((400..500).contains(&without.status), "{}", without.json());

    // Who brings a state ends it, so the browser that was sent begins again.
    assert_eq!(back(&server, &login, &path).location.as_deref(), Some("/?sign-in=used"));
    let (login, address) = away(&server);
    let path = signed_in(&address, &server);
    let entered = back(&server, &login, &path);
    assert_eq!((entered.status, entered.location.as_deref()), (303, Some("/")));
    let session = entered
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|set| set.to_str().unwrap())
        .find(|set| set.starts_with("einthoven_session="))
        .unwrap();
    for part in ["; Path=/;", "HttpOnly", "SameSite=Strict"] {
        assert!(session.contains(part), "{session}");
    }
    let session = session.split(';').next().unwrap();
    let ask = |path: &str| server.bare("GET", path, &[("cookie", session)], b"").unwrap();
    let who = ask("/v1/auth/session").json();
    assert_eq!((&who["signed_in"], &who["name"]), (&json!(true), &json!("oidc:lab:1")));
    assert_eq!(who["grants"], json!(["models.read"]));
    assert_eq!(ask("/v1/models").status, 200);
    ask("/v1/users").problem(403, "missing_scope");

    // Coming back the same way again signs nobody in.
    assert_eq!(back(&server, &login, &path).location.as_deref(), Some("/?sign-in=used"));

    // Whom the owner trusts no more is out at once.
    assert!(server.delete("/v1/issuers/lab").status < 300);
    assert_eq!(ask("/v1/models").status, 401);
    let gone = server.bare("GET", "/v1/auth/oidc/lab/start", &[], b"").unwrap();
    gone.problem(404, "no_such_issuer");
}
