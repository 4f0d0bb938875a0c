//! The same from a terminal: models, traffic, audit, backup, restore.

use crate::client::{OWNER_KEY, Server};
use crate::packages::{labelled, numbered, row_file, wrong_golden, zip};
use crate::steps::{answers, model, promote, ready};
use crate::terminal::{Said, run_as};
use serde_json::Value;

/// As the owner.
pub(crate) fn run(arguments: &[&str]) -> Said {
    run_as(Some(OWNER_KEY), arguments)
}

/// Runs a command against a server, which must succeed.
fn done(server: &Server, arguments: &[&str]) -> String {
    let said = at(server, arguments);
    assert!(said.ok, "{arguments:?}: {said:?}");
    said.out
}

/// The flag that names the server belongs to the command's first word.
fn at(server: &Server, arguments: &[&str]) -> Said {
    let address = format!("http://{}", server.address);
    let flags = ["--server", &address];
    let all = match arguments {
        ["audit", second, rest @ ..] => [&["audit", *second], &flags[..], rest].concat(),
        [first, rest @ ..] => [&[*first], &flags[..], rest].concat(),
        [] => Vec::new(),
    };
    run(&all)
}

#[test]
fn a_version_goes_its_way_by_the_command_line() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let onnx = path("model.onnx");
    std::fs::write(&onnx, row_file("model.onnx")).unwrap();

    let asked = at(&server, &["models", "upload", "mine", &onnx]);
    assert!(
        !asked.ok && asked.err.contains("labels") && asked.err.contains("\"inputs\""),
        "{asked:?}"
    );
    let fields = ["--set", "recipe=kaggle-heartbeat-v1", "--set", "labels=N,S,V,F,Q"];
    let out = done(
        &server,
        &[&["models", "upload", "mine", &onnx, "--version", "one"], &fields[..]].concat(),
    );
    assert!(out.contains("mine/one is ready") && out.contains("sha256:"), "{out}");
    let package = path("package.zip");
    std::fs::write(&package, zip(&labelled(["Q", "F", "V", "S", "N"]))).unwrap();
    let out = done(&server, &["models", "upload", "mine", &package]);
    assert!(out.contains("mine/1 is ready"), "{out}");
    std::fs::write(&package, zip(&wrong_golden())).unwrap();
    let rejected = at(&server, &["models", "upload", "mine", &package, "--version", "bad"]);
    assert!(
        !rejected.ok && rejected.out.contains("golden") && rejected.out.contains("to put it right"),
        "{rejected:?}"
    );
    let missing = at(&server, &["models", "upload", "mine", &path("none.onnx")]);
    assert!(!missing.ok && missing.err.contains("none.onnx"), "{missing:?}");
    let directory = at(&server, &["models", "upload", "mine", folder.path().to_str().unwrap()]);
    assert!(!directory.ok && directory.err.contains("zip"), "{directory:?}");

    assert!(done(&server, &["traffic", "promote", "mine/one", "--reason", "first"]).contains("mine/one answers"));
    let out = done(&server, &["traffic", "promote", "mine/1"]);
    assert!(
        out.contains("mine/1 answers") && out.contains("brings back mine/one"),
        "{out}"
    );
    assert!(done(&server, &["traffic", "rollback", "mine", "--reason", "worse"]).contains("mine/one answers"));
    assert!(done(&server, &["traffic", "show", "mine"]).contains("mine/one answers"));
    let nothing = at(&server, &["traffic", "rollback", "mine"]);
    assert!(!nothing.ok && nothing.err.contains("no earlier traffic"), "{nothing:?}");
    let history = done(&server, &["traffic", "history", "mine"]);
    assert_eq!(history.lines().count(), 3, "{history}");
    assert!(
        history.lines().next().unwrap().contains("by key:owner  worse"),
        "{history}"
    );

    assert!(done(&server, &["models", "alias", "mine@canary", "1"]).contains("@canary"));
    let pointed = at(&server, &["models", "delete", "mine/1"]);
    assert!(!pointed.ok && pointed.err.contains("alias `canary`"), "{pointed:?}");
    done(&server, &["models", "alias", "mine@canary"]);
    let show = done(&server, &["models", "show", "mine"]);
    assert!(
        show.contains("answers") && show.contains("rejected") && !show.contains("@canary"),
        "{show}"
    );
    assert!(done(&server, &["models", "list"]).contains("mine"));
    let list: Value = serde_json::from_str(&done(&server, &["models", "--json", "list"])).unwrap();
    assert_eq!(list["items"].as_array().unwrap().len(), 3);
    assert!(done(&server, &["models", "retire", "mine/1"]).contains("mine/1 is retired"));
    assert!(done(&server, &["models", "delete", "mine/1"]).contains("deleted"));
    let gone = at(&server, &["models", "delete", "mine/1"]);
    assert!(!gone.ok && gone.err.contains("no version `1`"), "{gone:?}");
    let wrong = at(&server, &["models", "delete", "mine"]);
    assert!(!wrong.ok && wrong.err.contains("NAME/VERSION"), "{wrong:?}");

    let entries = done(
        &server,
        &["audit", "list", "--model", "mine", "--who", "key:owner", "--limit", "3"],
    );
    let kinds: Vec<_> = entries
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["event"]["kind"].clone())
        .collect();
    assert_eq!(kinds, ["version_deleted", "version_retired", "alias_moved"]);
    let silent = run(&["models", "--server", "http://127.0.0.1:9", "list"]);
    assert!(!silent.ok && silent.err.contains("einthoven serve"), "{silent:?}");
}

#[test]
fn a_backup_of_a_running_server_serves_the_same_and_is_restored() {
    let server = Server::start();
    ready(&server, "mine", "1", &numbered(1));
    ready(&server, "mine", "2", &labelled(["Q", "F", "V", "S", "N"]));
    assert_eq!(promote(&server, "mine", "2").status, 200);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let data = server.data.to_str().unwrap();
    let before = model(&server, "mine");
    let entries = server.get("/v1/audit?limit=1000").json();
    let backup = path("backup");
    let said = run(&["backup", &backup, "--data", data]);
    assert!(said.ok && said.out.contains("entries"), "{said:?}");
    // What comes later is not in it.
    assert_eq!(promote(&server, "mine", "1").status, 200);
    let again = run(&["backup", &backup, "--data", data]);
    assert!(!again.ok && again.err.contains("holds a registry already"), "{again:?}");

    let (restored, log) = (path("restored"), "registry/log/events.jsonl");
    let said = run(&["restore", &backup, "--data", &restored]);
    assert!(said.ok, "{said:?}");
    let read = |folder: &str| std::fs::read(std::path::Path::new(folder).join(log)).unwrap();
    assert_eq!(read(&backup), read(&restored));
    let again = run(&["restore", &backup, "--data", &restored]);
    assert!(!again.ok && again.err.contains("holds a registry already"), "{again:?}");
    let nothing = run(&["restore", &path("none"), "--data", &path("other")]);
    assert!(!nothing.ok && nothing.err.contains("none"), "{nothing:?}");

    for place in [&backup, &restored] {
        let copy = Server::start_in(place.as_ref(), &[]);
        assert_eq!(model(&copy, "mine"), before, "{place}");
        // A copy signs with a key of its own, which it says first.
        let mut audit = copy.get("/v1/audit?limit=1000").json()["items"]
            .as_array()
            .unwrap()
            .clone();
        let own = audit.len() - entries["items"].as_array().unwrap().len();
        for entry in audit.drain(..own) {
            assert_eq!(entry["event"]["what"], "signing_key_published", "{place}: {entry}");
        }
        assert_eq!(Value::from(audit), entries["items"], "{place}");
        assert_eq!(answers(&copy, "model=mine"), "2");
        assert_eq!(answers(&copy, "model=mine/1"), "1");
    }
    assert_eq!(answers(&server, "model=mine"), "1");
    // A second server in the same folder would write the same log.
    let second = run(&["serve", "--listen", "127.0.0.1:0", "--data", data]);
    assert!(!second.ok && second.err.contains("process"), "{second:?}");
}

#[test]
fn a_model_is_made_described_stopped_and_forgotten_by_the_command_line() {
    let server = Server::start();
    done(&server, &["models", "create", "mine", "--description", "first words"]);
    let out = done(&server, &["models", "describe", "mine", "better words"]);
    assert!(out.contains("better words"), "{out}");
    ready(&server, "mine", "1", &numbered(1));
    assert_eq!(promote(&server, "mine", "1").status, 200);
    let kept = at(&server, &["models", "remove", "mine"]);
    assert!(!kept.ok && kept.err.contains("the traffic"), "{kept:?}");
    let out = done(
        &server,
        &["traffic", "stop", "mine", "--reason", "it is no longer used"],
    );
    assert!(out.contains("nothing answers") && out.contains("mine/1"), "{out}");
    done(&server, &["models", "remove", "mine", "--reason", "tidied"]);
    let list = done(&server, &["audit", "list", "--model", "mine"]);
    let newest: Value = serde_json::from_str(list.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&newest["event"]["kind"], &newest["why"]),
        (&"model_deleted".into(), &"tidied".into())
    );
}

#[test]
fn a_gate_and_a_source_are_set_by_the_command_line() {
    let server = Server::start();
    let shown = |out: &str| serde_json::from_str::<Value>(out).unwrap();
    let set = [
        "gate",
        "set",
        "heartbeat",
        "--card",
        "--metric",
        "frozen:macro_f1:0.6",
        "--set-digest",
        "sha256:00",
    ];
    let gate = shown(&done(&server, &set));
    assert_eq!(
        (&gate["card"], &gate["metric"]["set_digest"]),
        (&true.into(), &"sha256:00".into())
    );
    assert_eq!(shown(&done(&server, &["gate", "show", "heartbeat"])), gate);
    let open = shown(&done(&server, &["gate", "set", "heartbeat"]));
    assert!(open["metric"].is_null() && open["card"] == false, "{open}");

    let address = "http://127.0.0.1:9";
    let source = [
        "sources",
        "set",
        "lab",
        address,
        "--follow",
        "net@champion",
        "--promote",
        "--set",
        "labels=N,V",
    ];
    let source = shown(&done(&server, &source));
    assert_eq!(source["follow"][0]["manifest"]["labels"], serde_json::json!(["N", "V"]));
    assert!(!at(&server, &["sources", "test", "lab"]).ok, "nobody listens there");
    // Another path of the same host is another source, and the first stays.
    let pull = ["models", "pull", "http://127.0.0.1:9/other", "net@champion"];
    assert!(!at(&server, &pull).ok);
    let listed = shown(&done(&server, &["sources", "list"]));
    let named: Vec<_> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect();
    assert_eq!(named, ["127.0.0.1-9", "lab"]);
    done(&server, &["sources", "remove", "lab"]);
}

/// Needs two records of the MIT-BIH Arrhythmia Database beside the project.
#[test]
fn a_version_is_measured_on_a_set_and_the_gate_asks_for_those_files() {
    let database = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/mitdb");
    if !database.is_dir() {
        eprintln!("SKIPPED: there is no {}", database.display());
        return;
    }
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let files = ["100.hea", "100.dat", "100.atr", "200.hea", "200.dat", "200.atr"];
    let set = files
        .map(|name| (name.to_owned(), std::fs::read(database.join(name)).unwrap()))
        .into();
    let path = folder.path().join("set.zip");
    std::fs::write(&path, zip(&set)).unwrap();
    let path = path.to_str().unwrap();
    let out = done(&server, &["gate", "evaluate", "heartbeat/1.0.0", "two", path]);
    let evaluation: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(evaluation["recordings"], 2);
    let v_f1 = evaluation["metrics"].as_object().unwrap();
    assert!(v_f1.values().any(|value| value.as_f64() > Some(0.5)), "{out}");
    let stored = &model(&server, "heartbeat")["versions"]["1.0.0"]["evaluations"]["two"];
    assert_eq!(stored["set_digest"], evaluation["set_digest"]);
}
