//! What lies in `deploy/` against the program that it deploys.

use crate::client::sample;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_einthoven");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every variable, flag, port and path that manifests, charts, units and workflows name is one that the server has, and all of
/// them are valid by the schemas that Kubernetes, Compose and GitHub publish.
#[test]
fn deployments_are_valid_and_name_what_the_server_has() {
    let python = Path::new(PROGRAM)
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("deploy-checks/bin/python");
    assert!(
        python.exists(),
        "{} is not there; `cargo xtask setup` makes it",
        python.display()
    );
    let folder = tempfile::tempdir().unwrap();
    let help = Command::new(PROGRAM).args(["serve", "--help"]).output().unwrap();
    assert!(help.status.success());
    std::fs::write(folder.path().join("help"), help.stdout).unwrap();
    // Renders the overlays where it is installed; elsewhere they are skipped, which the output says.
    let kubectl = Command::new("kubectl").args(["version", "--client"]).output();
    let kubectl = if kubectl.is_ok_and(|output| output.status.success()) {
        "kubectl"
    } else {
        ""
    };
    let checked = Command::new(python)
        .arg(root().join("deploy/tests/check.py"))
        .arg(folder.path().join("help"))
        .arg(kubectl)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&checked.stdout).into_owned() + &String::from_utf8_lossy(&checked.stderr);
    println!("{said}");
    assert!(checked.status.success(), "{said}");
}

/// The image's root file system, read-only and without a network, answers.
#[test]
fn the_root_file_system_of_the_image_answers() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for name in ["100s.hea", "100s.dat"] {
        std::fs::write(folder.path().join(name), sample(name)).unwrap();
        files.push(folder.path().join(name));
    }
    let tried = Command::new("sh")
        .arg(root().join("deploy/container/try.sh"))
        .arg(PROGRAM)
        .args(&files)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&tried.stdout).into_owned() + &String::from_utf8_lossy(&tried.stderr);
    println!("{said}");
    if tried.status.code() == Some(77) {
        return;
    }
    assert!(tried.status.success(), "{said}");
    let packed = said.split(" MB packed").next().and_then(|text| text.rsplit(' ').next());
    let packed: u32 = packed.unwrap().parse().unwrap();
    assert!(packed < 60, "{said}");
    let laid_out = said.split(" MB (").next().and_then(|text| text.rsplit(' ').next());
    let laid_out: u32 = laid_out.unwrap().parse().unwrap();
    assert!(laid_out < 80, "{said}");
}
