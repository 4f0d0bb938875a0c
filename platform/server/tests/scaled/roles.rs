//! A registry and routers as servers of their own.

use crate::client::Server;
use crate::packages::labelled;
use crate::shared::{Shared, poke, until};
use crate::steps::{classify, promote, ready};
use std::process::Command;

/// Method, path with names in the place of its parameters, and which role answers.
fn table() -> Vec<(String, String, String)> {
    let said = Command::new(env!("CARGO_BIN_EXE_einthoven"))
        .arg("routes")
        .output()
        .unwrap();
    let text = String::from_utf8(said.stdout).unwrap();
    let rows = text.lines().map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        let parts = words[1]
            .split('/')
            .map(|part| if part.starts_with('{') { "nowhere" } else { part });
        (
            words[0].to_owned(),
            parts.collect::<Vec<_>>().join("/"),
            words[2].to_owned(),
        )
    });
    rows.collect()
}

fn answers(server: &Server, version: &str) -> bool {
    let answer = classify(server, "model=rows");
    answer.status == 200 && answer.json()["model"]["version"] == version
}

#[test]
fn each_role_answers_its_routes_and_names_the_other_for_the_rest() {
    let shared = Shared::start();
    let registry = shared.server(&["--role", "registry", "--other-role-url", "https://ecg.example.org"]);
    let router = shared.server(&["--role", "router"]);
    until("the router's readiness", || {
        router.get("/v1/health/ready").status == 200
    });
    let rows = table();
    assert!(rows.len() > 100, "{} routes", rows.len());
    for (server, own, other) in [(&registry, "registry", "router"), (&router, "router", "registry")] {
        for (method, path, part) in &rows {
            let answer = poke(server, method, path);
            let kind = answer.json()["type"].as_str().unwrap_or_default().to_owned();
            let says = format!("{own}: {method} {path}: {} {}", answer.status, answer.json());
            assert_eq!(kind == "/problems/wrong_role", part == other, "{says}");
            if part == other {
                let said = answer.problem(421, "wrong_role");
                assert!(said.contains(&format!("`{other}`")), "{said}");
                assert_eq!(said.contains("https://ecg.example.org"), own == "registry", "{said}");
            } else {
                assert!([own, "both"].contains(&part.as_str()) && answer.status < 500, "{says}");
            }
        }
        // Who may not ask at all learns nothing of roles.
        assert_eq!(server.bare("POST", "/v1/classify", &[], b"").unwrap().status, 401);
        assert_eq!(server.bare("POST", "/v1/models", &[], b"").unwrap().status, 401);
    }
    // Nothing of it changed anything, and a router has the models of the registry.
    for server in [&registry, &router] {
        assert_eq!(server.get("/v1/models").json()["items"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn a_promotion_on_the_registry_is_answered_by_all_routers() {
    let shared = Shared::start();
    let registry = shared.server(&["--role", "registry"]);
    let routers = [
        shared.server(&["--role", "router"]),
        shared.server(&["--role", "router"]),
    ];
    ready(&registry, "rows", "one", &labelled(["N", "S", "V", "F", "Q"]));
    ready(&registry, "rows", "two", &labelled(["Q", "F", "V", "S", "N"]));
    assert_eq!(promote(&registry, "rows", "one").status, 200);
    until("the first version on all", || {
        routers.iter().all(|router| answers(router, "one"))
    });
    for turn in 0..6 {
        let version = if turn % 2 == 0 { "two" } else { "one" };
        let promoted = promote(&registry, "rows", version);
        assert_eq!(promoted.status, 200, "{}", promoted.json());
        for router in &routers {
            until("the promotion on a router", || answers(router, version));
            // Whoever has heard of it does not go back to what was before.
            assert!((0..3).all(|_| answers(router, version)), "turn {turn}");
        }
    }
    let back = registry.post("/v1/models/rows/rollback", "application/json", b"{}");
    assert_eq!(back.status, 200, "{}", back.json());
    until("the rollback on all", || {
        routers.iter().all(|router| answers(router, "two"))
    });
}

#[test]
fn a_role_needs_what_servers_share() {
    for role in ["registry", "router"] {
        let said = Command::new(env!("CARGO_BIN_EXE_einthoven"))
            .args([
                "config",
                "check",
                "--role",
                role,
                "--database-url",
                "postgres://einthoven@127.0.0.1/x",
            ])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&said.stderr).into_owned();
        assert_eq!(said.status.code(), Some(2), "{text}");
        assert!(text.contains("--database-url and --bucket"), "{text}");
    }
}
