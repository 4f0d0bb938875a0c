//! The committed OpenAPI documents, as the server writes them itself, and what of them may not change.

use crate::openapi_changes::breaking;
use crate::setup::{Environment, environment};
use crate::shell::{self, built, cargo, command, output, root, target};
use anyhow::{Context, bail, ensure};
use serde_json::Value;
use std::fs;

/// The document in both editions: its file, and what the server is asked for it.
const DOCUMENTS: [(&str, &[&str]); 2] = [
    ("openapi/openapi.json", &["openapi"]),
    ("openapi/openapi-3.0.json", &["openapi", "--older"]),
];

/// What holds both documents against the schemas that the specification of OpenAPI itself gives.
const VALIDATOR: Environment = Environment {
    name: "openapi-validator",
    list: "openapi/tests/validator.txt",
    proof: "import openapi_spec_validator",
};

/// The document of the last release.
const RELEASED: &str = "openapi/released.json";

/// As the server that was built last says it.
fn said(arguments: &[&str]) -> anyhow::Result<String> {
    output(command(&built("einthoven").to_string_lossy(), arguments))
}

/// Builds the server and writes what it says.
pub(crate) fn write() -> anyhow::Result<()> {
    cargo(&["build", "--release"])?;
    for (name, arguments) in DOCUMENTS {
        fs::write(root().join(name), said(arguments)?).with_context(|| format!("cannot write {name}"))?;
        eprintln!("{name}");
    }
    Ok(())
}

/// Compares what is committed with what the server that was built last says.
pub(crate) fn check() -> anyhow::Result<()> {
    for (name, arguments) in DOCUMENTS {
        let committed = fs::read_to_string(root().join(name)).with_context(|| format!("cannot read {name}"))?;
        ensure!(
            committed == said(arguments)?,
            "{name} is not what the server says; run `cargo xtask openapi` and commit what it writes"
        );
    }
    environment(&VALIDATOR)?;
    let python = target().join(VALIDATOR.name).join("bin/python");
    let mut validate = command(&python.to_string_lossy(), &["-m", "openapi_spec_validator"]);
    validate.args(DOCUMENTS.map(|(name, _)| name));
    shell::run(validate)?;
    let mut lint = command("npm", &["run", "--silent", "lint"]);
    lint.current_dir(root().join("openapi/lint"));
    shell::run(lint)?;
    compare()
}

/// Whether clients made from the last release's document go on working.
pub(crate) fn compare() -> anyhow::Result<()> {
    let read = |name: &str| -> anyhow::Result<Value> {
        let text = fs::read_to_string(root().join(name)).with_context(|| format!("cannot read {name}"))?;
        serde_json::from_str(&text).with_context(|| format!("{name} is no JSON"))
    };
    let findings = breaking(&read(RELEASED)?, &read(DOCUMENTS[0].0)?);
    if findings.is_empty() {
        return Ok(());
    }
    bail!(
        "clients of the last release would break ({} findings):\n  {}\nwhere that is meant, say so in CHANGELOG.md and copy \
         openapi/openapi.json to {RELEASED}",
        findings.len(),
        findings.join("\n  ")
    )
}
