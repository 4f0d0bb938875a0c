//! MLflow for the tests of its client: the newest 3 and the last 2, each in a virtual environment in the user's cache,
//! found by tests at `<target>/mlflow-3` and `<target>/mlflow-2`.

use crate::shell::{self, command, root, target};
use anyhow::{Context, bail};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

const NAMES: [&str; 2] = ["mlflow-3", "mlflow-2"];

/// In an environment that is whole.
const MARK: &str = "installed";

pub(crate) fn run() -> anyhow::Result<()> {
    let asked = Command::new("python3")
        .args([
            "-c",
            "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))",
        ])
        .status();
    if !asked.is_ok_and(|status| status.success()) {
        bail!(
            "the tests of the MLflow client need `python3`, 3.11 or newer, with venv and pip; please install it (on \
             Debian: python3-venv)"
        );
    }
    let folder = super::cache();
    for path in [folder.as_path(), target().as_path()] {
        fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
    }
    for name in NAMES {
        let list = root().join("registry/mlflow/tests/python").join(format!("{name}.txt"));
        let content = fs::read(&list).with_context(|| format!("cannot read {}", list.display()))?;
        let digest = hex::encode(Sha256::digest(&content));
        let environment = folder.join(format!("mlflow-{digest}"));
        // Held until the environment is whole, for two trees may share the cache.
        let lock = File::create(folder.join(format!("mlflow-{digest}.lock")))?;
        lock.lock().context("cannot lock the cache")?;
        if !environment.join(MARK).exists() || !environment.join("bin/python").exists() {
            install(&list, &environment)?;
        }
        let link = target().join(name);
        super::place(&environment, &link)?;
        eprintln!("{} ({})", link.display(), environment.display());
    }
    Ok(())
}

/// Makes the environment at its final place, because scripts in it name that place; the mark comes last.
fn install(list: &Path, environment: &Path) -> anyhow::Result<()> {
    if environment.exists() {
        fs::remove_dir_all(environment).with_context(|| format!("cannot remove {}", environment.display()))?;
    }
    let mut venv = command("python3", &["-m", "venv"]);
    venv.arg(environment);
    shell::run(venv)?;
    let python = environment.join("bin/python");
    // Without what the packages ask for beside the list: it leaves out what the tests do not use. Compiled here, or the
    // first start of each server would take a minute.
    let arguments = "-m pip --disable-pip-version-check install --quiet --no-deps --require-hashes --compile \
                     --only-binary :all: --requirement";
    let mut pip = command(&python.to_string_lossy(), &arguments.split(' ').collect::<Vec<_>>());
    pip.arg(list);
    shell::run(pip).context("MLflow cannot be installed; see pip's message above")?;
    shell::run(command(&python.to_string_lossy(), &["-m", "mlflow", "--version"]))
        .context("MLflow is installed but does not start")?;
    fs::write(environment.join(MARK), "").with_context(|| format!("cannot write in {}", environment.display()))
}
