//! A disk that takes nothing more, and one that never took anything.

use crate::client::{OWNER_KEY, Server, borrowed, record_100};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

fn keys(server: &Server) -> BTreeSet<String> {
    let answer = server.get("/v1/keys?limit=1000");
    assert_eq!(answer.status, 200, "{}", answer.json());
    let items = answer.json()["items"].as_array().unwrap().clone();
    items
        .iter()
        .map(|key| key["name"].as_str().unwrap().to_owned())
        .collect()
}

/// The longest file below a folder, in blocks of 512 bytes.
fn longest_blocks(folder: &Path) -> u64 {
    let each = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.unwrap();
        let about = entry.metadata().unwrap();
        if about.is_dir() {
            longest_blocks(&entry.path())
        } else {
            about.len().div_ceil(512)
        }
    };
    std::fs::read_dir(folder).unwrap().map(each).max().unwrap_or(0)
}

/// No file may grow beyond what the longest has, as on a disk that is full: changes are refused, what was acknowledged is kept, and
/// whoever only asks is answered.
#[test]
fn a_full_disk_refuses_changes_and_goes_on_answering() {
    let folder = tempfile::tempdir().unwrap();
    let first = Server::start_in(folder.path(), &[]);
    first.key("before", &["predict"]);
    assert_eq!(first.terminate(), Some(0));

    let log = longest_blocks(&folder.path().join("registry/log"));
    // The signal that a limit sends is one that no full disk sends.
    let limits = format!("trap '' XFSZ && ulimit -f {}", log + 1);
    let server = Server::start_under(&limits, folder.path(), &[]);
    let mut acknowledged = keys(&server);
    let mut refused = None;
    for number in 0..200 {
        let name = format!("key-{number}");
        let asked = json!({"name": name, "grants": ["predict"]});
        let answer = server.json("POST", "/v1/keys", &[], &asked);
        match answer.status {
            201 => drop(acknowledged.insert(name)),
            _ => {
                refused = Some(answer);
                break;
            }
        }
    }
    let refused = refused.expect("the disk was never full");
    assert!(matches!(refused.status, 500 | 503 | 507), "{}", refused.json());
    assert_eq!(refused.content_type, "application/problem+json");
    for _ in 0..3 {
        assert_eq!(server.get("/v1/health/live").status, 200);
        assert_eq!(server.form("/v1/classify", &borrowed(&record_100()), &[]).status, 200);
    }
    assert_eq!(keys(&server), acknowledged);
    drop(server);

    let again = Server::start_in(folder.path(), &[]);
    assert_eq!(keys(&again), acknowledged);
    again.key("after", &["predict"]);
}

/// A folder that cannot be written is said so before the port opens.
#[test]
fn a_read_only_data_folder_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let once = Server::start_in(&data, &[]);
    assert_eq!(once.terminate(), Some(0));
    let mounted = "mount --bind \"$1\" \"$1\" && mount -o remount,ro,bind \"$1\" || exit 77; \
                   exec \"$0\" serve --listen 127.0.0.1:0 --data \"$1\"";
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", mounted])
        .arg(env!("CARGO_BIN_EXE_einthoven"))
        .arg(&data)
        .env("EINTHOVEN_OWNER_KEY", OWNER_KEY)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() == Some(77) || said.contains("unshare") {
        println!("not tried, there are no namespaces here: {said}");
        return;
    }
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(output.stdout.is_empty(), "it said that it was ready");
    let line = said.lines().find(|line| line.starts_with("einthoven: ")).unwrap();
    assert!(
        line.contains(data.to_str().unwrap()) && line.contains("Read-only"),
        "{line}"
    );
}
