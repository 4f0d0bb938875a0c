//! Python packages that tests run beside the product, each list in a virtual environment in the user's cache, found at
//! `<target>/<name>`. A list pins every package by hash.

use crate::shell::{self, command, root, target};
use anyhow::{Context, bail};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

/// One environment.
pub(crate) struct Environment {
    /// Its name under the build folder.
    pub(crate) name: &'static str,
    /// The list of packages.
    pub(crate) list: &'static str,
    /// Python that shows that it works.
    pub(crate) proof: &'static str,
}

/// What the tests need: the newest 3 and the last 2 of MLflow.
pub(crate) const FOR_TESTS: &[Environment] = &[
    Environment {
        name: "mlflow-3",
        list: "registry/mlflow/tests/python/mlflow-3.txt",
        proof: "import mlflow",
    },
    Environment {
        name: "tritonclient",
        list: "platform/server/tests/inference/python/tritonclient.txt",
        proof: "import tritonclient.grpc, tritonclient.http",
    },
    Environment {
        name: "mlflow-2",
        list: "registry/mlflow/tests/python/mlflow-2.txt",
        proof: "import mlflow",
    },
    Environment {
        name: "oidc-issuer",
        list: "platform/auth/tests/python/issuer.txt",
        proof: "import oauth2_provider, jwcrypto, cryptography",
    },
    Environment {
        name: "schemathesis",
        list: "openapi/tests/schemathesis.txt",
        proof: "import schemathesis",
    },
    Environment {
        name: "fhir",
        list: "platform/server/tests/server/python/fhir.txt",
        proof: "import fhir.resources.R4B.bundle",
    },
    Environment {
        name: "deploy-checks",
        list: "deploy/tests/packages.txt",
        proof: "import helm_python, kubernetes_validate, check_jsonschema",
    },
];

/// In an environment that is whole.
const MARK: &str = "installed";

pub(crate) fn run() -> anyhow::Result<()> {
    FOR_TESTS.iter().try_for_each(have)
}

/// Makes an environment, unless it is there.
pub(crate) fn have(wanted: &Environment) -> anyhow::Result<()> {
    let asked = Command::new("python3")
        .args([
            "-c",
            "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))",
        ])
        .status();
    if !asked.is_ok_and(|status| status.success()) {
        bail!("please install `python3`, 3.11 or newer, with venv and pip (on Debian: python3-venv)");
    }
    let folder = super::cache();
    for path in [folder.as_path(), target().as_path()] {
        fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
    }
    let content = fs::read(root().join(wanted.list)).with_context(|| format!("cannot read {}", wanted.list))?;
    let digest = hex::encode(Sha256::digest(&content));
    let environment = folder.join(format!("python-{digest}"));
    // Held until the environment is whole, for two trees may share the cache.
    let lock = File::create(folder.join(format!("python-{digest}.lock")))?;
    lock.lock().context("cannot lock the cache")?;
    if !environment.join(MARK).exists() || !environment.join("bin/python").exists() {
        install(wanted, &environment)?;
    }
    let link = target().join(wanted.name);
    super::place(&environment, &link)?;
    eprintln!("{} ({})", link.display(), environment.display());
    Ok(())
}

/// Makes the environment at its final place, because scripts in it name that place; the mark comes last.
fn install(wanted: &Environment, environment: &Path) -> anyhow::Result<()> {
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
    pip.arg(root().join(wanted.list));
    shell::run(pip).with_context(|| format!("{} cannot be installed; see pip's message above", wanted.name))?;
    shell::run(command(&python.to_string_lossy(), &["-c", wanted.proof]))
        .with_context(|| format!("{} is installed but does not start", wanted.name))?;
    fs::write(environment.join(MARK), "").with_context(|| format!("cannot write in {}", environment.display()))
}
