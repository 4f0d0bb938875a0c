//! Triton's own Python client, over HTTP and gRPC, which `cargo xtask setup python` brings.

use crate::client::OWNER_KEY;
use crate::graphs;
use std::path::Path;
use std::process::Command;

#[test]
fn tritons_client_finds_what_it_looks_for() {
    let server = graphs::server();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let python = target.join("tritonclient/bin/python");
    assert!(
        python.exists(),
        "{} is missing, run `cargo xtask setup python`",
        python.display()
    );
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inference/python/triton.py");
    let output = Command::new(python)
        .arg(script)
        .args([&server.address, OWNER_KEY])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("all of them"), "{said}");
}
