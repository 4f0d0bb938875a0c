//! A backup that comes back: who is who, and who was to be forgotten.

use crate::client::Server;
use crate::records::{classify, entry, named, pages};
use crate::shared::{Shared, about, master};
use einthoven_journal::PseudonymKey;
use einthoven_journal::recordings::MasterKey;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

fn einthoven(name: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_einthoven"));
    command.arg(name);
    command
}

/// Runs a command that ends well, and gives what it said.
fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    said
}

/// Runs one that ends badly, and gives what it said.
fn refused(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_is_restored_knows_who_is_who_and_who_was_to_be_forgotten() {
    let (shared, folder) = (Shared::start(), tempfile::tempdir().unwrap());
    let key = master(folder.path(), "master", "a1");
    let key = key.to_str().unwrap();
    let options = ["--keep-recordings", "--journal", "audit", "--master-key", key];
    let (one, copy) = (folder.path().join("one"), folder.path().join("copy"));
    let server = shared.server_in(&one, &options);
    let ana = named(&classify(&server, "100x", Some("ana")));
    let ana = entry(&server, &ana)["subject"].as_str().unwrap().to_owned();
    classify(&server, "100x", Some("bo"));
    assert_eq!(server.terminate(), Some(0));
    // A copy of the journal from before ana is forgotten.
    said(Command::new("cp").arg("-r").arg(&one).arg(&copy));
    let server = shared.server_in(&one, &options);
    assert_eq!(
        server.delete(&format!("/v1/subjects/{ana}")).json()["entries"],
        json!(1)
    );
    let backup = folder.path().join("backup");
    said(
        einthoven("backup")
            .arg(&backup)
            .args(shared.options())
            .arg("--data")
            .arg(folder.path().join("none")),
    );
    let kept = std::fs::read_to_string(backup.join("people.json")).unwrap();
    assert!(kept.contains(&ana), "{kept}");

    // All is lost but the backup, the master key and the copy.
    drop((server, shared));
    let shared = Shared::start();
    let restore = |more: &[String]| said(einthoven("restore").arg(&backup).args(more));
    let mut into = shared.options().to_vec();
    into.extend([
        "--data".to_owned(),
        folder.path().join("none").to_str().unwrap().to_owned(),
    ]);
    restore(&into);
    let server = shared.server_in(&copy, &options);
    assert_eq!(about(&server, &ana), Vec::<Value>::new());
    let left = pages(&server, "/v1/predictions", 100);
    assert_eq!(left.len(), 1, "bo is there");
    let again = named(&classify(&server, "100x", Some("bo")));
    assert_eq!(entry(&server, &again)["subject"], left[0]["subject"]);
    let bo = left[0]["subject"].as_str().unwrap();
    assert_eq!(server.delete(&format!("/v1/subjects/{bo}")).json()["entries"], json!(2));
    assert_eq!(about(&server, bo), Vec::<Value>::new());
    drop(server);

    // Into a folder of a server that is alone: it has the key beside its journal, where nothing else brings it.
    let alone = folder.path().join("alone").to_str().unwrap().to_owned();
    let without = folder.path().join("without").to_str().unwrap().to_owned();
    assert!(restore(&["--data".to_owned(), without]).contains("--master-key"));
    restore(&[
        "--data".to_owned(),
        alone.clone(),
        "--master-key".to_owned(),
        key.to_owned(),
    ]);
    let clear = std::fs::read_to_string(Path::new(&alone).join("journal/pseudonyms.key")).unwrap();
    assert!(!kept.contains(clear.trim()) && clear.trim().len() == 64);
    let server = Server::start_in(Path::new(&alone), &["--journal", "audit"]);
    let answer = named(&classify(&server, "100x", Some("ana")));
    assert_eq!(entry(&server, &answer)["subject"], ana.as_str());
}

/// A backup of a server that is alone, with what others would have shared about people.
fn backup(folder: &Path, people: &Value) -> PathBuf {
    let (data, backup) = (folder.join("first"), folder.join("backup"));
    assert_eq!(Server::start_in(&data, &[]).terminate(), Some(0));
    said(einthoven("backup").arg(&backup).arg("--data").arg(&data));
    fs::write(backup.join("people.json"), people.to_string()).unwrap();
    backup
}

/// How many of the restored are in their place, with the time at which they asked.
const IN_PLACE: &str = "select count(*) from (select *, row_number() over (order by seq) as place from einthoven_erasures) as listed \
     where id = 'e-' || place and subject = 's_' || place \
     and asked = timestamptz 'epoch' + (1700000000000000 + place) * interval '1 microsecond'";
const ALL: &str = "select count(*) from einthoven_erasures";
const CHANGES: &str = "select count(*) from einthoven_log";

#[test]
fn thousands_who_are_to_be_forgotten_are_restored_all_at_once_or_not_at_all() {
    let (shared, folder) = (Shared::start(), tempfile::tempdir().unwrap());
    let asked = |number: i64| {
        let at = 1_700_000_000_000_000 + number;
        json!({"id": format!("e-{number}"), "subject": format!("s_{number}"), "asked_us": at})
    };
    let erasures: Vec<_> = (1..=3_000).map(asked).collect();
    let people = |pseudonyms: Option<&str>| json!({"pseudonyms": pseudonyms, "erasures": erasures});
    let backup = backup(folder.path(), &people(None));
    let restore = || {
        let mut command = einthoven("restore");
        command.arg(&backup).args(shared.options());
        command.arg("--data").arg(folder.path().join("none"));
        command
    };
    said(&mut restore());
    assert_eq!((shared.number(IN_PLACE), shared.number(ALL)), (3_000, 3_000));
    let changes = shared.number(CHANGES);
    assert!(refused(&mut restore()).contains("holds a registry already"));
    // As after one that broke off before it came to the registry.
    shared.sql("truncate einthoven_log");
    said(&mut restore());
    assert_eq!((shared.number(IN_PLACE), shared.number(ALL)), (3_000, 3_000));

    // One that breaks off among them leaves none, nothing by which a server would be started, and nothing in the way.
    for statement in [
        "truncate einthoven_log, einthoven_erasures",
        "create function broken() returns trigger language plpgsql as $$ begin raise 'broken off'; end $$",
        "create trigger broken before insert on einthoven_erasures for each row when (new.id = 'e-2500') execute function broken()",
    ] {
        shared.sql(statement);
    }
    let words = refused(&mut restore());
    assert!(
        words.contains("list of erasures") && words.contains("broken off"),
        "{words}"
    );
    assert_eq!((shared.number(ALL), shared.number(CHANGES)), (0, 0));
    shared.sql("drop trigger broken on einthoven_erasures");
    said(&mut restore());
    assert_eq!((shared.number(IN_PLACE), shared.number(ALL)), (3_000, 3_000));
    assert_eq!(shared.number(CHANGES), changes);

    // Names that come from another key would never be found again.
    shared.sql("truncate einthoven_log");
    shared.sql("insert into einthoven_keys values ('pseudonyms', 'of another system')");
    fs::write(backup.join("people.json"), people(Some("the backup's")).to_string()).unwrap();
    let words = refused(&mut restore());
    assert!(words.contains("has a key of pseudonyms already"), "{words}");
    assert_eq!(shared.number(CHANGES), 0);
}

#[test]
fn a_restore_that_was_interrupted_is_finished_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let master = master(folder.path(), "master", "a1");
    let under = MasterKey::read(&master).unwrap();
    let wrapped = PseudonymKey::new(&under).unwrap().wrapped(&under).unwrap();
    let backup = backup(folder.path(), &json!({"pseudonyms": wrapped, "erasures": []}));
    let restore = |data: &Path| {
        let mut command = einthoven("restore");
        command
            .arg(&backup)
            .arg("--data")
            .arg(data)
            .arg("--master-key")
            .arg(&master);
        command
    };
    let log = |data: &Path| fs::read(data.join("registry/log/events.jsonl"));
    let whole = log(&backup).unwrap();

    // After the key, before the log: its folder cannot be made.
    let data = folder.path().join("data");
    fs::create_dir_all(data.join("registry")).unwrap();
    fs::write(data.join("registry/log"), "").unwrap();
    refused(&mut restore(&data));
    let key = data.join("journal/pseudonyms.key");
    let put = fs::read(&key).unwrap();
    fs::remove_file(data.join("registry/log")).unwrap();
    // And in the middle of the log.
    fs::create_dir(data.join("registry/log")).unwrap();
    let half = data.join("registry/log/events.jsonl.partial");
    fs::write(&half, &whole[..whole.len() / 2]).unwrap();
    said(&mut restore(&data));
    assert_eq!(
        (log(&data).unwrap(), fs::read(&key).unwrap()),
        (whole.clone(), put.clone())
    );
    assert!(!half.exists());
    assert!(refused(&mut restore(&data)).contains("holds a registry already"));

    // While it wrote the key.
    let data = folder.path().join("other");
    fs::create_dir_all(data.join("journal")).unwrap();
    let half = data.join("journal/pseudonyms.new");
    fs::write(&half, &put[..9]).unwrap();
    fs::set_permissions(&half, fs::Permissions::from_mode(0o600)).unwrap();
    said(&mut restore(&data));
    assert_eq!(fs::read(data.join("journal/pseudonyms.key")).unwrap(), put);
    assert!(!half.exists());
    let server = Server::start_in(&data, &["--journal", "audit"]);
    named(&classify(&server, "100x", Some("ana")));
    drop(server);

    // A journal of its own is not made another one's.
    let data = folder.path().join("third");
    PseudonymKey::in_folder(&data.join("journal")).unwrap();
    let words = refused(&mut restore(&data));
    assert!(
        words.contains("pseudonyms.key") && words.contains("another key"),
        "{words}"
    );
    log(&data).unwrap_err();
}
