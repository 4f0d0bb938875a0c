//! A person is forgotten by all servers when one of them is asked.

use crate::records::{classify, entry, named, pages, send};
use crate::shared::{Shared, about, kill, master, until};
use serde_json::{Value, json};
use std::process::Command;

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

#[test]
fn one_that_cannot_be_erased_holds_up_no_other_and_a_list_made_anew_is_followed() {
    let shared = Shared::start();
    let folder = tempfile::tempdir().unwrap();
    let key = master(folder.path(), "master", "a1");
    let key = key.to_str().unwrap();
    let start = |name: &str| {
        let options = ["--keep-recordings", "--journal", "audit", "--master-key", key];
        shared.server_in(&folder.path().join(name), &options)
    };
    let (one, other) = (start("one"), start("other"));
    let mut pseudonyms = Vec::new();
    for person in ["ana", "bo", "cleo"] {
        classify(&one, "100x", Some(person));
        let answer = named(&classify(&other, "100x", Some(person)));
        pseudonyms.push(entry(&other, &answer)["subject"].as_str().unwrap().to_owned());
    }
    let [ana, bo, cleo] = pseudonyms.try_into().unwrap();
    assert_eq!(other.terminate(), Some(0));
    // A folder in the place of one of ana's keys, which no server can overwrite.
    let keys = folder.path().join("other/journal/recordings/keys");
    let digest = einthoven_journal::replay::digest(format!("subject {ana}").as_bytes());
    let in_the_way = keys.join(digest).join("in-the-way.key");
    std::fs::create_dir(&in_the_way).unwrap();
    for subject in [&ana, &bo] {
        let erased = one.delete(&format!("/v1/subjects/{subject}"));
        assert_eq!(
            (erased.status, &erased.json()["entries"]),
            (200, &json!(1)),
            "{}",
            erased.json()
        );
    }
    let other = start("other");
    assert_eq!(about(&other, &bo), Vec::<Value>::new());
    assert_eq!(about(&other, &ana).len(), 1);
    assert_eq!(other.counted("einthoven_erasures_open"), 1.0);
    assert!(other.counted("einthoven_erasures_failed_total") >= 1.0);
    assert_eq!(one.counted("einthoven_erasures_open"), 0.0);
    // Whoever comes next is not held up by it.
    let erased = one.delete(&format!("/v1/subjects/{cleo}"));
    assert_eq!(
        (erased.status, &erased.json()["entries"]),
        (200, &json!(2)),
        "{}",
        erased.json()
    );
    std::fs::remove_dir(&in_the_way).unwrap();
    until("another try", || about(&other, &ana).is_empty());
    until("none that is open", || other.counted("einthoven_erasures_open") == 0.0);

    // As in a database that was made anew: its numbers begin again, below those that the servers have followed.
    for server in [&one, &other] {
        classify(server, "100x", Some("dora"));
    }
    let answer = named(&classify(&one, "100x", Some("dora")));
    let dora = entry(&one, &answer)["subject"].as_str().unwrap().to_owned();
    shared.sql("truncate einthoven_erasures restart identity");
    let erased = one.delete(&format!("/v1/subjects/{dora}"));
    assert_eq!(
        (erased.status, &erased.json()["entries"]),
        (200, &json!(3)),
        "{}",
        erased.json()
    );
    for server in [&one, &other] {
        assert_eq!(about(server, &dora), Vec::<Value>::new());
    }
}

#[test]
fn a_job_that_was_asked_for_before_an_erasure_is_not_done_after_it() {
    let shared = Shared::start();
    let folder = tempfile::tempdir().unwrap();
    let key = master(folder.path(), "master", "a1");
    let server = shared.server(&["--journal", "audit", "--master-key", key.to_str().unwrap()]);
    let job = || {
        let made = send(&server, "/v1/classify?wait=false", "100x", Some("ana"));
        assert_eq!(made.status, 202, "{}", made.json());
        let path = made.location.unwrap();
        let ended = || ["done", "failed"].contains(&server.get(&path).json()["state"].as_str().unwrap());
        until("the end of a job", ended);
        server.get(&format!("{path}/result"))
    };
    let answer = job().json();
    let ana = entry(&server, answer["prediction"].as_str().unwrap())["subject"].clone();
    let ana = ana.as_str().unwrap().to_owned();
    assert_eq!(server.delete(&format!("/v1/subjects/{ana}")).status, 200);
    // As of a server that had not followed that when it was asked, and was slow to make the job.
    for statement in [
        "create function earlier() returns trigger language plpgsql as \
         $$ begin new.wish = regexp_replace(new.wish, '\"followed\":[0-9]+', '\"followed\":0'); return new; end $$",
        "create trigger earlier before insert on einthoven_jobs for each row execute function earlier()",
    ] {
        shared.sql(statement);
    }
    job().problem(409, "cancelled");
    assert_eq!(about(&server, &ana), Vec::<Value>::new());
    shared.sql("drop trigger earlier on einthoven_jobs");
    // What is asked about them later is new.
    assert_eq!(job().status, 200);
    assert_eq!(about(&server, &ana).len(), 1);
}
