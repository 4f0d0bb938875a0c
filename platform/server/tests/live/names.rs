//! Names of models that lead elsewhere: wherever one can be said, each is refused clearly.

use crate::client::{OWNER_KEY, Server};
use crate::frames::infer;
use crate::stream::{Client, hello};
use serde_json::json;

fn names() -> Vec<String> {
    let mut names: Vec<String> = [
        "..",
        ".",
        "../x",
        "../../etc/passwd",
        "/etc/passwd",
        "a/b",
        "a/../../b",
        "a/..",
        "a@../b",
        "..\\x",
        "C:\\x",
        "%2e%2e%2f",
        "%2e%2e%2fx",
        "..%00",
        "\0",
        "a\0b",
        "a\nb",
        "a b",
        "$(id)",
        "\u{e9}",
        "\u{202e}a",
    ]
    .map(str::to_owned)
    .into();
    names.extend([10_000, 1_000].map(|length| "a".repeat(length)));
    names.push("../".repeat(2_000));
    names
}

fn encoded(name: &str) -> String {
    name.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

#[test]
fn a_name_that_leads_elsewhere_is_refused_wherever_it_is_said() {
    let server = Server::start();
    let body = json!({"inputs": [[1.0]]});
    for name in names() {
        let short: String = name.chars().take(20).collect();
        let mut asked = vec![
            format!("/invocations?model={}", encoded(&name)),
            format!("/models/{}/invocations", encoded(&name)),
            format!("/v2/models/{}/infer", encoded(&name)),
        ];
        // Longer than the longest line of a request.
        asked.retain(|path| path.len() < 60_000);
        for path in asked {
            let answer = server.json("POST", &path, &[], &body);
            assert!(
                [400, 404, 422].contains(&answer.status),
                "{short:?} {path:.40}: {}",
                answer.json()
            );
            assert!(
                answer.json()["detail"]
                    .as_str()
                    .is_some_and(|detail| !detail.is_empty()),
                "{short:?}"
            );
        }
        // Others cannot stand in a header.
        if name.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            let answer = server.json("POST", "/invocations", &[("x-einthoven-model", &name)], &body);
            assert!([400, 404, 422].contains(&answer.status), "{short:?}: {}", answer.json());
            assert!(answer.json()["detail"].is_string(), "{short:?}: {}", answer.json());
        }
        let kind = [("content-type", "application/grpc")];
        let answer = server.ask(
            "POST",
            "/inference.GRPCInferenceService/ModelInfer",
            &kind,
            &infer(&name, 1.0, 1),
        );
        let (code, words) = (answer.header("grpc-status"), answer.header("grpc-message"));
        assert!(
            ["3", "5"].contains(&code) && !words.is_empty(),
            "{short:?}: {code} {words}"
        );
        let mut first = hello();
        first["model"] = json!(name);
        assert_eq!(
            Client::connect(&server, OWNER_KEY, &first).said(),
            Err(1008),
            "{short:?}"
        );
    }
    let head = "POST /invocations HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-einthoven-model: a\0b\r\n\r\n";
    assert!(server.raw(head.as_bytes()).starts_with("HTTP/1.1 400"));
    assert_eq!(server.get("/v1/health/live").status, 200);
}
