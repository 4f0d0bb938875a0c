//! The clients that `cargo xtask sdk` made, against the real server, and the examples of docs/clients.md.

use crate::client::{OWNER_KEY, Server};
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned()
}

/// Python with the client installed.
fn python() -> Command {
    let installed = target().join("sdk/python");
    assert!(installed.join("einthoven_client").exists(), "run `cargo xtask sdk`");
    let mut command = Command::new(target().join("sdk-python/bin/python"));
    command.env("PYTHONPATH", installed);
    command
}

/// Runs it from the repository's root with the owner's key, and gives what it printed.
fn said(mut command: Command) -> String {
    let output = command
        .current_dir(root())
        .env("EINTHOVEN_KEY", OWNER_KEY)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

/// What a live test is told.
fn told(command: &mut Command, script: &str, server: &Server) {
    command
        .arg(root().join(script))
        .arg(format!("http://{}", server.address))
        .args([
            "platform/server/samples/100s",
            "models",
            "ecg/tests/fixtures/mitdb-excerpts",
        ]);
}

#[test]
fn pythons_client_does_what_people_do() {
    let server = Server::start();
    let mut command = python();
    told(&mut command, "clients/python/tests/live.py", &server);
    assert!(said(command).contains("all of them"));
}

#[test]
fn typescripts_client_does_what_people_do() {
    let server = Server::start();
    let mut command = Command::new("node");
    told(&mut command, "clients/typescript/tests/live.mjs", &server);
    assert!(said(command).contains("all of them"));
}

#[test]
fn the_examples_of_the_documentation_run() {
    let server = Server::start();
    let text = std::fs::read_to_string(root().join("docs/clients.md")).unwrap();
    let text = text.replace("http://127.0.0.1:5000", &format!("http://{}", server.address));
    let blocks = |kind: &str| -> Vec<String> {
        let fence = format!("```{kind}\n");
        let parts = text.split(fence.as_str()).skip(1);
        parts.map(|part| part.split("```").next().unwrap().to_owned()).collect()
    };
    let (in_python, in_typescript) = (blocks("python"), blocks("js"));
    assert!(in_python.len() >= 4 && in_typescript.len() >= 2);
    for block in in_python {
        let mut command = python();
        command.args(["-c", &block]);
        assert!(!said(command).trim().is_empty(), "{block}");
    }
    // Node.js looks for packages from where a module lies: a package finds itself by its own name.
    let folder = tempfile::tempdir_in(root().join("clients/typescript")).unwrap();
    for block in in_typescript {
        let module = folder.path().join("example.mjs");
        std::fs::write(&module, &block).unwrap();
        let mut command = Command::new("node");
        command.arg(&module);
        assert!(!said(command).trim().is_empty(), "{block}");
    }
}
