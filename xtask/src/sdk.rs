//! Clients made from the committed document, as packages that can be installed: `<target>/sdk/`.

use crate::setup::{self, Environment};
use crate::shell::{self, built, command, root, target};
use anyhow::Context;
use std::fs;
use std::path::{Path, PathBuf};

/// What makes the Python client, and what that client needs.
const PYTHON: Environment = Environment {
    name: "sdk-python",
    list: "clients/python/tools.txt",
    proof: "import openapi_python_client, setuptools, httpx, attrs",
};

/// Makes all packages.
pub(crate) fn run() -> anyhow::Result<()> {
    setup::environment(&PYTHON)?;
    let sdk = target().join("sdk");
    fs::create_dir_all(&sdk).with_context(|| format!("cannot make {}", sdk.display()))?;
    python(&sdk)?;
    typescript(&sdk)?;
    rust(&sdk)
}

/// A crate, which makes its own operations when it is built, and its tests against the server that was built last: it is no part
/// of the workspace, so they are not run with the others.
fn rust(sdk: &Path) -> anyhow::Result<()> {
    let cargo = |words: &[&str]| {
        let mut cargo = command("cargo", words);
        cargo.current_dir(root().join("clients/rust"));
        cargo.env("CARGO_TARGET_DIR", target().join("sdk-rust"));
        cargo.env("EINTHOVEN_BIN", built("einthoven"));
        cargo
    };
    shell::run(cargo(&["fmt", "--check"]))?;
    shell::run(cargo(&[
        "clippy",
        "--quiet",
        "--locked",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    shell::run(cargo(&["test", "--quiet", "--locked"]))?;
    shell::run(cargo(&[
        "package",
        "--quiet",
        "--locked",
        "--no-verify",
        "--allow-dirty",
    ]))?;
    let name = "einthoven-client-0.1.0.crate";
    let packed = target().join("sdk-rust/package").join(name);
    fs::copy(&packed, sdk.join(name)).with_context(|| format!("cannot copy {}", packed.display()))?;
    Ok(())
}

/// A wheel, and the same installed beside it for the tests.
fn python(sdk: &Path) -> anyhow::Result<()> {
    let program = target().join(PYTHON.name).join("bin");
    let source = sdk.join("python-source");
    fresh(&root().join("clients/python"), &source)?;
    let path = |path: PathBuf| path.to_string_lossy().into_owned();
    let mut generate = command(&path(program.join("openapi-python-client")), &["generate"]);
    generate.args(["--meta", "none", "--overwrite", "--fail-on-warning"]);
    generate.arg("--path").arg(root().join("openapi/openapi.json"));
    generate.arg("--config").arg(source.join("generate.yaml"));
    generate
        .arg("--output-path")
        .arg(source.join("einthoven_client/generated"));
    shell::run(generate)?;
    let pip = |words: &[&str]| {
        let mut pip = command(
            &path(program.join("python")),
            &["-m", "pip", "--disable-pip-version-check"],
        );
        pip.args(words);
        pip
    };
    let mut wheel = pip(&["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]);
    wheel.arg("--wheel-dir").arg(sdk).arg(&source);
    shell::run(wheel)?;
    let mut install = pip(&[
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--upgrade",
        "--find-links",
    ]);
    install.arg(sdk).arg("--target").arg(sdk.join("python"));
    install.arg("einthoven-client");
    shell::run(install)
}

/// A package of npm's, and its folder with what it needs for the tests.
fn typescript(sdk: &Path) -> anyhow::Result<()> {
    let folder = root().join("clients/typescript");
    for words in [
        ["ci", "--no-audit", "--no-fund"].as_slice(),
        &["run", "--silent", "build"],
    ] {
        let mut npm = command("npm", words);
        npm.current_dir(&folder);
        shell::run(npm)?;
    }
    let mut pack = command("npm", &["pack", "--silent", "--pack-destination"]);
    pack.arg(sdk).current_dir(&folder);
    shell::run(pack)
}

/// Copies a folder's files anew, so that nothing of an earlier run is left among them.
fn fresh(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::remove_dir_all(to).ok();
    copy(from, to)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let (path, place) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &place)?;
        } else {
            fs::copy(&path, &place).with_context(|| format!("cannot copy {}", path.display()))?;
        }
    }
    Ok(())
}
