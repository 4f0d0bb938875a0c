//! A person is forgotten by all servers when one of them is asked.

use crate::client::Server;
use crate::records::{classify, entry, named, pages, send};
use crate::shared::{Shared, kill};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

fn master(folder: &Path, name: &str, digits: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, digits.repeat(32)).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// Everything that a server has about a person.
fn about(server: &Server, pseudonym: &str) -> Vec<Value> {
    pages(server, &format!("/v1/predictions?subject={pseudonym}"), 100)
}

#[test]
fn one_erasure_reaches_all_servers_and_one_that_was_away_when_it_comes_back() {
    let shared = Shared::start();
    let folder = tempfile::tempdir().unwrap();
    let key = master(folder.path(), "master", "a1");
    // What is answered is on disk, whoever is killed then.
    let options = [
        "--keep-recordings",
        "--journal",
        "audit",
        "--master-key",
        key.to_str().unwrap(),
    ];
    let start = |name: &str| shared.server_in(&folder.path().join(name), &options);
    let (one, other, third) = (start("one"), start("other"), start("third"));
    let mut pseudonyms = Vec::new();
    for server in [&one, &other, &third] {
        let answer = named(&classify(server, "100x", Some("ana")));
        pseudonyms.push(entry(server, &answer)["subject"].as_str().unwrap().to_owned());
        classify(server, "100x", Some("bo"));
    }
    let pseudonym = pseudonyms[0].clone();
    assert!(pseudonyms.iter().all(|name| *name == pseudonym), "{pseudonyms:?}");
    let shown = send(&other, "/v1/recordings", "100x", Some("ana")).location.unwrap();
    // Whichever server does them, and however far it is.
    for _ in 0..6 {
        let made = send(&one, "/v1/classify?wait=false", "208x", Some("ana"));
        assert_eq!(made.status, 202, "{}", made.json());
    }
    kill(&third);
    let erased = one.delete(&format!("/v1/subjects/{pseudonym}"));
    assert_eq!(erased.status, 200, "{}", erased.json());
    let erased = erased.json();
    assert_eq!((&erased["jobs"], &erased["shown"]), (&json!(6), &json!(1)), "{erased}");
    assert!(erased["entries"].as_u64().unwrap() >= 2, "{erased}");
    assert!(erased["recordings"].as_u64().unwrap() >= 2, "{erased}");
    other.get(&shown).problem(404, "not_found");
    for server in [&one, &other] {
        assert_eq!(about(server, &pseudonym), Vec::<Value>::new());
        assert_eq!(
            pages(server, "/v1/predictions", 100).len(),
            1,
            "what is of others is there"
        );
        assert_eq!(server.get("/v1/jobs").json()["items"], json!([]));
    }
    let contents = shared.bucket.contents().join("jobs");
    let groups = std::fs::read_dir(contents).into_iter().flatten().flatten();
    let files = groups.flat_map(|group| std::fs::read_dir(group.path()).into_iter().flatten().flatten());
    assert_eq!(files.count(), 0);
    // What is asked about them later is new, and stays; the one that was away forgets what it had.
    let again = named(&classify(&other, "100x", Some("ana")));
    let third = start("third");
    assert_eq!(about(&third, &pseudonym), Vec::<Value>::new());
    assert_eq!(pages(&third, "/v1/predictions", 100).len(), 1);
    drop(other);
    let other = start("other");
    assert_eq!(entry(&other, &again)["subject"], pseudonym.as_str());
    drop((one, other));

    // A new master key takes the place of the old one: for the key in the database, and for recordings.
    let new = master(folder.path(), "new", "b2");
    let refused = |options: &[&str]| {
        let said = Command::new(env!("CARGO_BIN_EXE_einthoven"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path().join("one"))
            .args(shared.options())
            .args(options)
            .output()
            .unwrap();
        assert!(!said.status.success());
        String::from_utf8_lossy(&said.stderr).into_owned()
    };
    let said = refused(&["--keep-recordings", "--master-key", new.to_str().unwrap()]);
    assert!(said.contains("--previous-master-key"), "{said}");
    let both = [
        "--keep-recordings",
        "--master-key",
        new.to_str().unwrap(),
        "--previous-master-key",
        key.to_str().unwrap(),
    ];
    let one = shared.server_in(&folder.path().join("one"), &both);
    let bo = &pages(&one, "/v1/predictions", 100)[0];
    let replay = format!("/v1/predictions/{}/replay", bo["id"].as_str().unwrap());
    assert_eq!(one.post(&replay, "application/json", b"").json()["outcome"], "same");
    drop(one);
    let said = refused(&options);
    assert!(said.contains("another master key"), "{said}");
    let options = ["--keep-recordings", "--master-key", new.to_str().unwrap()];
    let one = shared.server_in(&folder.path().join("one"), &options);
    assert_eq!(one.post(&replay, "application/json", b"").json()["outcome"], "same");
    // It still knows who is who.
    let again = named(&classify(&one, "100x", Some("ana")));
    assert_eq!(entry(&one, &again)["subject"], pseudonym.as_str());
    // The third has the key of pseudonyms that it started with, and follows.
    classify(&third, "100x", Some("ana"));
    assert_eq!(
        one.delete(&format!("/v1/subjects/{pseudonym}")).json()["entries"],
        json!(2)
    );
    assert_eq!(about(&third, &pseudonym), Vec::<Value>::new());
}
