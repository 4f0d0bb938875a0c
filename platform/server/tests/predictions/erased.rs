//! A person is forgotten.

use crate::client::Server;
use crate::records::{classify, entry, named, pages, refer};
use serde_json::json;

#[test]
fn everything_about_a_person_goes_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), &["--keep-recordings", "--journal", "audit"]);
    let ana = ["100x", "208x"].map(|record| named(&classify(&server, record, Some("ana"))));
    let bo = named(&classify(&server, "208x", Some("bo")));
    for id in [&ana[1], &bo] {
        assert_eq!(refer(&server, id, "208x").status, 201);
    }
    let pseudonym = entry(&server, &ana[0])["subject"].as_str().unwrap().to_owned();
    assert_eq!(entry(&server, &ana[1])["subject"], pseudonym.as_str());
    let path = format!("/v1/subjects/{pseudonym}");
    let key = server.key("clerk", &["label", "models.write", "predict"]);
    server
        .ask("DELETE", &path, &[("x-api-key", &key)], b"")
        .problem(403, "missing_scope");
    let erased = server.delete(&path);
    assert_eq!(
        (erased.status, erased.json()),
        (200, json!({"entries": 2, "labels": 1, "recordings": 2}))
    );
    for id in &ana {
        server.get(&format!("/v1/predictions/{id}")).problem(404, "not_found");
    }
    let left = pages(&server, "/v1/predictions", 10);
    assert_eq!(left.len(), 1);
    let replay = format!("/v1/predictions/{bo}/replay");
    assert_eq!(server.post(&replay, "application/json", b"").json()["outcome"], "same");
    assert_eq!(entry(&server, &bo)["labelled"], true);
    assert_eq!(
        server.delete(&path).json(),
        json!({"entries": 0, "labels": 0, "recordings": 0})
    );
    // Also for the next process.
    assert_eq!(server.terminate(), Some(0));
    let server = Server::start_in(folder.path(), &[]);
    assert_eq!(pages(&server, "/v1/predictions", 10).len(), 1);
    let trace = pseudonym.as_bytes();
    let segments = folder.path().join("journal/entries");
    for file in std::fs::read_dir(segments).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(trace.len()).any(|window| window == trace));
    }
}
