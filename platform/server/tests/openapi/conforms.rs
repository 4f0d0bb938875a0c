//! schemathesis, which `cargo xtask setup python` brings, asks the server for everything that its document says, and for what it
//! does not say.

use crate::client::{OWNER_KEY, Server, sample};
use std::path::{Path, PathBuf};
use std::process::Command;

fn schemathesis(server: &Server, settings: &str, headers: &[&str]) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let program = target.join("schemathesis/bin/schemathesis");
    assert!(
        program.exists(),
        "{} is missing, run `cargo xtask setup python`",
        program.display()
    );
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../openapi/tests");
    let work = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    command.arg("--config-file").arg(folder.join(settings));
    command.args(["run", &format!("http://{}/openapi.json", server.address)]);
    for header in headers {
        command.args(["--header", header]);
    }
    let output = command
        .env("PYTHONPATH", &folder)
        .env("SCHEMATHESIS_HOOKS", "checks")
        .current_dir(work.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_owner_finds_the_server_as_its_document_says() {
    let server = Server::start();
    let made = server.post("/v1/samples/normal-rhythm", "application/json", b"");
    assert_eq!(made.status, 201, "{}", made.json());
    let job = server.post("/v1/classify?wait=false&name=a.csv", "text/csv", &sample("100s.hea"));
    assert_eq!(job.status, 422, "a header alone is no recording");
    schemathesis(&server, "owner.toml", &[&format!("X-Api-Key: {OWNER_KEY}")]);
}

#[test]
fn nobody_finds_the_server_as_its_document_says() {
    let server = Server::start();
    schemathesis(&server, "anybody.toml", &[]);
}
