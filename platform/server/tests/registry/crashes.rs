//! The server killed at random moments: what was acknowledged is there, nothing is half there, and it starts quickly.

use crate::client::Server;
use crate::packages::{labelled, numbered, zip};
use crate::steps::{answers, model, ready};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const KILLS: usize = 60;

/// What must be there: what was acknowledged, and what was asked for when the server went.
#[derive(Debug, Clone, Default)]
struct Known {
    champion: String,
    aliases: BTreeMap<String, String>,
    uploaded: BTreeSet<String>,
    asked: Option<Asked>,
}

#[derive(Debug, Clone)]
enum Asked {
    Promote(String),
    Alias(String, String),
    Upload(String),
}

/// Xorshift: the same moments and changes in every run, as far as the machine lets them.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Changes one thing after the other until the server is gone.
fn change(server: &Server, known: &mut Known, dice: &mut Dice, numbers: &mut usize, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let version = if dice.below(2) == 0 { "a" } else { "b" }.to_owned();
        let asked = match dice.below(8) {
            0 => {
                *numbers += 1;
                Asked::Upload(format!("u{numbers}"))
            }
            1..4 => Asked::Alias(format!("alias-{}", dice.below(3)), version),
            _ => Asked::Promote(version),
        };
        known.asked = Some(asked.clone());
        let json = [("content-type", "application/json")];
        let sent = match &asked {
            Asked::Promote(version) => {
                let body = json!({"champion": version}).to_string();
                server.try_ask("PUT", "/v1/models/mine/traffic", &json, body.as_bytes())
            }
            Asked::Alias(alias, version) => {
                let body = json!({"version": version}).to_string();
                server.try_ask(
                    "PUT",
                    &format!("/v1/models/mine/aliases/{alias}"),
                    &json,
                    body.as_bytes(),
                )
            }
            Asked::Upload(version) => {
                let path = format!("/v1/models/mine/versions?name=p.zip&version={version}");
                // Rejected quickly, so that trials do not fill the machine.
                let mut package = numbered(*numbers);
                package.insert("golden.json".to_owned(), b"{}".to_vec());
                server.try_ask("POST", &path, &[], &zip(&package))
            }
        };
        let Ok(answer) = sent else { return };
        assert!((200..300).contains(&answer.status), "{}", answer.json());
        match asked {
            Asked::Promote(version) => known.champion = version,
            Asked::Alias(alias, version) => drop(known.aliases.insert(alias, version)),
            Asked::Upload(version) => drop(known.uploaded.insert(version)),
        }
        known.asked = None;
    }
}

/// Compares the state after a start with what must be there; what was only asked for may be there or not, whole.
fn compare(state: &Value, known: &mut Known, data: &Path) {
    let champion = state["traffic"]["champion"].as_str().unwrap();
    let aliases: BTreeMap<String, String> = serde_json::from_value(state["aliases"].clone()).unwrap();
    let versions = state["versions"].as_object().unwrap();
    let uploaded: BTreeSet<_> = versions.keys().filter(|name| name.starts_with('u')).cloned().collect();
    let mut with = known.clone();
    match known.asked.take() {
        Some(Asked::Promote(version)) => with.champion = version,
        Some(Asked::Alias(alias, version)) => drop(with.aliases.insert(alias, version)),
        Some(Asked::Upload(version)) => drop(with.uploaded.insert(version)),
        None => {}
    }
    assert!(
        [&known.champion, &with.champion].contains(&&champion.to_owned()),
        "{champion}: {known:?}"
    );
    assert!(
        [&known.aliases, &with.aliases].contains(&&aliases),
        "{aliases:?}: {known:?}"
    );
    assert!(
        [&known.uploaded, &with.uploaded].contains(&&uploaded),
        "{uploaded:?}: {known:?}"
    );
    (known.champion, known.aliases, known.uploaded) = (champion.to_owned(), aliases, uploaded);
    for (name, version) in versions {
        assert_ne!(version["phase"]["state"], "fetching", "{name} is half there");
        for file in version["files"].as_array().unwrap() {
            let hex = file["sha256"].as_str().unwrap().strip_prefix("sha256:").unwrap();
            let path = data.join("files/files").join(&hex[..2]).join(hex);
            let length = std::fs::metadata(&path).unwrap().len();
            assert_eq!(
                length,
                file["size_bytes"].as_u64().unwrap(),
                "{name}: {}",
                path.display()
            );
        }
    }
    let history = state["history"].as_array().unwrap();
    assert!(history.windows(2).all(|pair| pair[0]["to"] == pair[1]["from"]));
    assert_eq!(history.last().unwrap()["to"]["champion"], champion);
}

#[test]
fn what_was_acknowledged_survives_sixty_kills() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(folder.path(), &[]);
    ready(&server, "mine", "a", &labelled(["N", "S", "V", "F", "Q"]));
    ready(&server, "mine", "b", &labelled(["Q", "F", "V", "S", "N"]));
    assert_eq!(crate::steps::promote(&server, "mine", "a").status, 200);
    let mut known = Known {
        champion: "a".to_owned(),
        ..Known::default()
    };
    let (mut dice, mut numbers, mut starts) = (Dice(0x5eed), 0, Vec::new());
    for _ in 0..KILLS {
        let (id, pause) = (server.id(), Duration::from_millis(dice.below(150)));
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(pause);
                let killed = std::process::Command::new("kill")
                    .args(["-KILL", &id.to_string()])
                    .status();
                assert!(killed.unwrap().success());
                stop.store(true, Ordering::Relaxed);
            });
            change(&server, &mut known, &mut dice, &mut numbers, &stop);
        });
        drop(server);
        server = Server::start_in(folder.path(), &[]);
        starts.push(server.started_in);
        compare(&model(&server, "mine"), &mut known, folder.path());
    }
    assert_eq!(answers(&server, "model=mine"), known.champion);
    starts.sort();
    eprintln!(
        "{KILLS} kills, {} uploads: ready again in {:?} (median), {:?} (longest)",
        known.uploaded.len(),
        starts[KILLS / 2],
        starts[KILLS - 1]
    );
    let checked = crate::command_line::run(&["audit", "verify", "--data", folder.path().to_str().unwrap()]);
    assert!(checked.ok, "{checked:?}");
}

#[test]
fn files_without_a_version_go_when_they_are_old() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), &[]);
    // Kept for completing it: files without a version.
    let asked = server.form(
        "/v1/models/mine/versions",
        &[("model.onnx", &crate::packages::row_file("model.onnx"))],
        &[],
    );
    asked.problem(422, "incomplete_manifest");
    let different = crate::packages::with_property(&crate::packages::row_file("model.onnx"), "note", "older");
    let older = server.form("/v1/models/mine/versions", &[("model.onnx", &different)], &[]);
    let place = |answer: &crate::client::Answer| {
        let hex = answer.json()["files"][0]["sha256"]
            .as_str()
            .unwrap()
            .strip_prefix("sha256:")
            .unwrap()
            .to_owned();
        folder.path().join("files/files").join(&hex[..2]).join(hex)
    };
    let (young, old) = (place(&asked), place(&older));
    ready(&server, "mine", "kept", &numbered(1));
    drop(server);
    // Every file is made two days old, but for the young one; only what no version has goes.
    let before = std::time::SystemTime::now() - Duration::from_secs(2 * 86_400);
    let mut kept = Vec::new();
    for first in std::fs::read_dir(folder.path().join("files/files")).unwrap() {
        for file in std::fs::read_dir(first.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path != young {
                std::fs::File::open(&path).unwrap().set_modified(before).unwrap();
            }
            if path != old {
                kept.push(path);
            }
        }
    }
    let server = Server::start_in(folder.path(), &[]);
    let end = std::time::Instant::now() + Duration::from_secs(30);
    while old.exists() {
        assert!(std::time::Instant::now() < end, "{} is still there", old.display());
        std::thread::sleep(Duration::from_millis(20));
    }
    // The young one shares its content with the version: all that is left must be there.
    for path in kept {
        assert!(path.exists(), "{} is gone", path.display());
    }
    assert_eq!(answers(&server, "model=mine/kept"), "kept");
}
