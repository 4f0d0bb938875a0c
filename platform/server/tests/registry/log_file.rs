//! Whether the log still is what was written: every way to change it shows.

use crate::client::Server;
use crate::command_line::run;
use crate::packages::numbered;
use crate::steps::{promote, ready};
use serde_json::{Value, json};
use std::path::Path;

/// Checks a data folder; gives what was wrong, where something was.
fn wrong(data: &Path, more: &[&str]) -> Option<String> {
    let said = run(&[&["audit", "verify", "--data", data.to_str().unwrap()], more].concat());
    assert_eq!(said.ok, said.err.is_empty(), "{said:?}");
    (!said.ok).then_some(said.err)
}

fn with_log(lines: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("registry/log");
    std::fs::create_dir_all(&log).unwrap();
    std::fs::write(log.join("events.jsonl"), lines.join("\n") + "\n").unwrap();
    folder
}

#[test]
fn a_changed_removed_reordered_or_cut_log_is_found() {
    let server = Server::start();
    ready(&server, "mine", "1", &numbered(1));
    ready(&server, "mine", "2", &numbered(2));
    for version in ["1", "2", "1"] {
        assert_eq!(promote(&server, "mine", version).status, 200);
    }
    let data = server.data.clone();
    let text = std::fs::read_to_string(data.join("registry/log/events.jsonl")).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let count = lines.len();
    assert_eq!(wrong(&data, &[]), None, "beside the running server");
    let said = run(&["audit", "verify", "--data", data.to_str().unwrap()]);
    assert!(said.out.starts_with(&format!("{count} entries")), "{said:?}");

    // The head as a deployer would anchor it, elsewhere.
    let head = run(&["audit", "head", "--data", data.to_str().unwrap()]);
    let line: Value = serde_json::from_str(&head.out).unwrap();
    assert_eq!(line["seq"], count);
    let served = server.get("/v1/audit/heads").json();
    assert_eq!((&line["seq"], &line["hash"]), (&served["seq"], &served["hash"]));
    let heads = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(heads.path(), &head.out).unwrap();
    let anchored = ["--heads", heads.path().to_str().unwrap()];
    assert_eq!(wrong(&data, &anchored), None);

    let changed = lines[count - 2].replacen("\"a test\"", "\"a tesk\"", 1);
    assert_ne!(changed, lines[count - 2]);
    let mut one = lines.clone();
    one[count - 2] = &changed;
    let verified = |query: &str| server.get(&format!("/v1/audit/verification{query}")).json();
    let hash = served["hash"].as_str().unwrap();
    let kept = format!("?seq={count}&hash={}", hash.replace(':', "%3A"));
    let other = kept.replace(&format!("seq={count}"), &format!("seq={}", count - 1));
    assert_eq!(
        (
            &verified("")["whole"],
            &verified("")["continues"],
            &verified(&kept)["continues"]
        ),
        (&json!(true), &Value::Null, &json!(true))
    );
    let apart = verified(&other);
    assert_eq!(
        (&apart["whole"], &apart["continues"]),
        (&json!(true), &json!(false)),
        "{apart}"
    );
    server
        .get(&format!("/v1/audit/verification?seq={count}"))
        .problem(422, "bad_field");
    // Changed beside the running server, and put back.
    let file = data.join("registry/log/events.jsonl");
    std::fs::write(&file, one.join("\n") + "\n").unwrap();
    let found = verified("");
    assert_eq!(found["whole"], false, "{found}");
    let finding = found["finding"].as_str().unwrap();
    assert!(
        finding.contains(&format!("entry {} was changed", count - 1)),
        "{finding}"
    );
    std::fs::write(&file, &text).unwrap();
    let found = wrong(with_log(&one).path(), &[]).unwrap();
    assert!(found.contains(&format!("entry {} was changed", count - 1)), "{found}");

    let mut fewer = lines.clone();
    fewer.remove(count - 3);
    let found = wrong(with_log(&fewer).path(), &[]).unwrap();
    assert!(
        found.contains("removed") && found.contains(&(count - 2).to_string()),
        "{found}"
    );

    let mut turned = lines.clone();
    turned.swap(count - 3, count - 2);
    let found = wrong(with_log(&turned).path(), &[]).unwrap();
    assert!(found.contains("reordered"), "{found}");

    // A log that was cut at its end is whole in itself; only an exported head tells.
    let cut = with_log(&lines[..count - 1]);
    assert_eq!(wrong(cut.path(), &[]), None);
    let found = wrong(cut.path(), &anchored).unwrap();
    assert!(found.contains("truncated"), "{found}");
    std::fs::write(cut.path().join("registry/heads.jsonl"), &head.out).unwrap();
    let found = wrong(cut.path(), &[]).unwrap();
    assert!(
        found.contains("truncated"),
        "the data folder's own heads tell too: {found}"
    );

    // The server does not start on a log that is not what was written, and says so.
    let broken = with_log(&one);
    let said = run(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data",
        broken.path().to_str().unwrap(),
    ]);
    assert!(!said.ok && said.err.contains("was changed"), "{said:?}");
    let none = tempfile::tempdir().unwrap();
    let found = wrong(none.path(), &[]).unwrap();
    assert!(found.contains("events.jsonl") || found.contains("no log"), "{found}");
}

#[test]
fn heads_are_exported_when_the_server_starts() {
    let folder = tempfile::tempdir().unwrap();
    let heads = folder.path().join("registry/heads.jsonl");
    for starts in 1..=2 {
        let server = Server::start_in(folder.path(), &[]);
        let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while std::fs::read_to_string(&heads).map_or(0, |text| text.lines().count()) < starts {
            assert!(std::time::Instant::now() < end, "no head was exported");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let text = std::fs::read_to_string(&heads).unwrap();
        let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!(last["hash"], server.get("/v1/audit/heads").json()["hash"]);
        drop(server);
        assert_eq!(wrong(folder.path(), &[]), None);
    }
}
