//! Files and views that were changed behind the server's back.

use crate::client::Server;
use crate::packages::{labelled, numbered};
use crate::steps::{ROW, answers, classify, model, promote, ready, set_alias};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Where a stored content lies.
fn stored(data: &Path, digest: &str) -> PathBuf {
    let hex = digest.strip_prefix("sha256:").unwrap();
    data.join("files/files").join(&hex[..2]).join(hex)
}

fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let mut permissions = std::fs::metadata(path).unwrap().permissions();
    #[allow(clippy::permissions_set_readonly_false, reason = "a file of this test's own")]
    permissions.set_readonly(false);
    std::fs::set_permissions(path, permissions).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Digest of a file of a version, as the registry has it.
fn digest_of(server: &Server, version: &str, name: &str) -> String {
    let version = server.get(&format!("/v1/models/mine/versions/{version}")).json();
    let files = version["files"].as_array().unwrap();
    let file = files.iter().find(|file| file["name"] == name).unwrap();
    file["sha256"].as_str().unwrap().to_owned()
}

#[test]
fn a_flipped_byte_is_refused_at_load_with_both_digests_and_others_answer() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), &[]);
    ready(&server, "mine", "whole", &labelled(["N", "S", "V", "F", "Q"]));
    // Its network is another file than that of the other version.
    let mut other = numbered(7);
    let onnx = crate::packages::with_property(&other["model.onnx"], "note", "another file");
    other.insert("model.onnx".to_owned(), onnx);
    ready(&server, "mine", "flipped", &other);
    assert_eq!(promote(&server, "mine", "flipped").status, 200);
    let digest = digest_of(&server, "flipped", "model.onnx");
    flip(&stored(folder.path(), &digest));
    assert_eq!(answers(&server, "model=mine"), "flipped", "what is loaded goes on");
    drop(server);

    let server = Server::start_in(folder.path(), &[]);
    let ready = |path: &str| server.get(path).status;
    for (path, told) in [
        ("/v1/health/live", 200),
        ("/v1/health/ready", 503),
        ("/v1/health/models/mine", 503),
        ("/v1/health/models/heartbeat", 200),
        ("/v2/health/ready", 503),
        ("/v2/models/mine/ready", 503),
        ("/v2/models/mine/versions/flipped/ready", 503),
        ("/v2/models/heartbeat/ready", 200),
    ] {
        assert_eq!(ready(path), told, "{path}");
    }
    let said = classify(&server, "model=mine").problem(503, "file_corrupt");
    let found = said.match_indices("sha256:").count();
    assert!(
        said.contains(&digest) && found >= 2 && said.contains("mine/flipped"),
        "{said}"
    );
    classify(&server, "model=mine/flipped").problem(503, "file_corrupt");
    let shown = server.get("/v1/models/mine/versions/flipped/files/model.onnx");
    assert!(shown.problem(503, "file_corrupt").contains(&digest));
    assert_eq!(answers(&server, "model=mine/whole"), "whole");
    assert_eq!(answers(&server, &format!("model={ROW}")), "1.0.0");
    // It is not promoted either once something else answers; going on is one call.
    assert_eq!(promote(&server, "mine", "whole").status, 200);
    assert_eq!(answers(&server, "model=mine"), "whole");
    assert_eq!((ready("/v1/health/ready"), ready("/v2/models/mine/ready")), (200, 200));
    promote(&server, "mine", "flipped").problem(503, "file_corrupt");
    assert_eq!(answers(&server, "model=mine"), "whole");
}

#[test]
fn a_view_that_is_gone_or_noise_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), &[]);
    ready(&server, "mine", "1", &numbered(1));
    ready(&server, "mine", "2", &numbered(2));
    for version in ["1", "2", "1"] {
        assert_eq!(promote(&server, "mine", version).status, 200);
    }
    assert_eq!(set_alias(&server, "mine", "canary", "2").status, 200);
    let remembered = |server: &Server| -> Vec<Value> {
        let audit = server.get("/v1/audit?limit=1000").json();
        let about = server.get("/v1/audit?limit=1000&model=mine").json();
        vec![
            model(server, "mine"),
            model(server, ROW),
            model(server, "heartbeat"),
            audit,
            about,
        ]
    };
    let before = remembered(&server);
    drop(server);
    let view = folder.path().join("registry/view");
    assert!(view.is_dir());
    let damages: [(&str, &dyn Fn()); 4] = [
        ("gone", &|| std::fs::remove_dir_all(&view).unwrap()),
        ("noise", &|| {
            for entry in walk(&view) {
                let noise: Vec<u8> = (0..4096_u32)
                    .map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8)
                    .collect();
                std::fs::write(entry, noise).unwrap();
            }
        }),
        ("empty files", &|| {
            walk(&view).iter().for_each(|path| std::fs::write(path, b"").unwrap())
        }),
        ("a file instead of a folder", &|| {
            std::fs::remove_dir_all(&view).unwrap();
            std::fs::write(&view, b"x").unwrap();
        }),
    ];
    for (what, damage) in damages {
        damage();
        let server = Server::start_in(folder.path(), &[]);
        assert_eq!(remembered(&server), before, "{what}");
        assert_eq!(answers(&server, "model=mine"), "1", "{what}");
        eprintln!("with a view that is {what}: ready in {:?}", server.started_in);
    }
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] })
        .collect()
}
