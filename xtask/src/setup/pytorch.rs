//! PyTorch, in which a notebook trains. Linux's own package, for the CPU: a wheel of the Python index does not start without gigabytes of
//! CUDA beside it.

use super::install;
use crate::shell::{self, command, target};
use anyhow::{Context, bail};
use std::fs;
use std::process::Command;

/// Where a Python has PyTorch.
const WHERE: &str =
    "import importlib.util, pathlib; print(pathlib.Path(importlib.util.find_spec('torch').origin).parent.parent)";

/// Installs it unless it is there, and lets the environment with MLflow find it: what lies in `<target>/pytorch` makes any Python look
/// into the system's packages last.
pub(super) fn run() -> anyhow::Result<()> {
    let packages = match packages() {
        Some(folder) => folder,
        None => {
            install(&["python3-torch"])?;
            packages().context("python3-torch is installed, but /usr/bin/python3 does not find it")?
        }
    };
    let folder = target().join("pytorch");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let line = format!("import sys\n\nsys.path.append({packages:?})\n");
    fs::write(folder.join("sitecustomize.py"), line)
        .with_context(|| format!("cannot write in {}", folder.display()))?;
    let python = target().join("mlflow-3/bin/python").to_string_lossy().into_owned();
    let mut proof = command(
        &python,
        &["-W", "ignore", "-c", "import mlflow, torch; torch.zeros(1) + 1"],
    );
    proof.env("PYTHONPATH", &folder);
    if let Err(cause) = shell::run(proof) {
        bail!("PyTorch in {packages} does not start in {python}; both must be of one Python, see above: {cause:#}");
    }
    Ok(())
}

/// The folder of packages with PyTorch in it, of the system's Python.
fn packages() -> Option<String> {
    let asked = Command::new("/usr/bin/python3").args(["-c", WHERE]).output().ok()?;
    let found = String::from_utf8(asked.stdout).ok()?;
    asked.status.success().then(|| found.trim().to_owned())
}
