//! Checks that no linter has. All findings are collected before it fails.

use crate::shell::{command, output, root};
use anyhow::{Context, bail};
use serde_json::Value;
use std::fs;

/// Lines of a source file above which it is refused.
const LONGEST_FILE: usize = 800;

/// Every crate of ours with the crates of ours that it may depend on.
const ARROWS: &[(&str, &[&str])] = &[
    ("einthoven-ecg", &[]),
    ("einthoven-web", &[]),
    ("einthoven-models", &[]),
    ("einthoven-plugin-abi", &[]),
    ("einthoven-plugin-sdk", &["einthoven-plugin-abi"]),
    (
        "einthoven-plugin-host",
        &["einthoven-plugin-abi", "einthoven-plugin-sdk"],
    ),
    (
        "einthoven-plugin-check",
        &["einthoven-plugin-abi", "einthoven-plugin-host"],
    ),
    ("einthoven-plugin-worker", &["einthoven-plugin-host"]),
    ("einthoven-example-engine", &["einthoven-plugin-sdk"]),
    ("einthoven-backend-candle", &["einthoven-plugin-sdk"]),
    ("einthoven-backend-onnxruntime", &["einthoven-plugin-sdk"]),
    ("einthoven-backend-litert", &["einthoven-plugin-sdk"]),
    (
        "einthoven-backend-parity",
        &[
            "einthoven-backend-candle",
            "einthoven-backend-litert",
            "einthoven-backend-onnxruntime",
            "einthoven-backend-tract",
            "einthoven-plugin-host",
            "einthoven-plugin-worker",
        ],
    ),
    ("einthoven-backend-tract", &["einthoven-plugin-sdk"]),
    ("einthoven-auth", &["einthoven-registry", "einthoven-registry-state"]),
    ("einthoven-intake", &[]),
    (
        "einthoven-jobs",
        &["einthoven-registry-files", "einthoven-registry-log"],
    ),
    ("einthoven-telemetry", &[]),
    ("einthoven-journal", &[]),
    ("einthoven-oip", &[]),
    ("einthoven-scoring", &["einthoven-oip"]),
    ("einthoven-reader-edf", &["einthoven-plugin-sdk"]),
    (
        "einthoven-classify",
        &[
            "einthoven-dispatch",
            "einthoven-ecg",
            "einthoven-plugin-host",
            "einthoven-plugin-worker",
        ],
    ),
    ("einthoven-dispatch", &["einthoven-plugin-host"]),
    ("einthoven-experiments", &["einthoven-ecg"]),
    ("einthoven-registry-state", &[]),
    ("einthoven-registry-log", &[]),
    ("einthoven-registry-files", &[]),
    ("einthoven-registry-mlflow", &[]),
    (
        "einthoven-registry",
        &["einthoven-registry-log", "einthoven-registry-state"],
    ),
    (
        "einthoven-serving",
        &[
            "einthoven-classify",
            "einthoven-experiments",
            "einthoven-registry",
            "einthoven-registry-files",
            "einthoven-registry-state",
            "einthoven-telemetry",
        ],
    ),
    (
        "einthoven-onboard",
        &[
            "einthoven-classify",
            "einthoven-ecg",
            "einthoven-plugin-host",
            "einthoven-plugin-worker",
            "einthoven-registry",
            "einthoven-registry-files",
            "einthoven-registry-mlflow",
            "einthoven-registry-state",
            "einthoven-serving",
        ],
    ),
    (
        "einthoven",
        &[
            "einthoven-auth",
            "einthoven-backend-tract",
            "einthoven-classify",
            "einthoven-dispatch",
            "einthoven-ecg",
            "einthoven-experiments",
            "einthoven-intake",
            "einthoven-jobs",
            "einthoven-journal",
            "einthoven-models",
            "einthoven-oip",
            "einthoven-onboard",
            "einthoven-plugin-check",
            "einthoven-plugin-host",
            "einthoven-plugin-worker",
            "einthoven-reader-edf",
            "einthoven-registry",
            "einthoven-registry-files",
            "einthoven-registry-log",
            "einthoven-registry-mlflow",
            "einthoven-registry-state",
            "einthoven-scoring",
            "einthoven-serving",
            "einthoven-telemetry",
            "einthoven-web",
        ],
    ),
    (
        "einthoven-bench",
        &[
            "einthoven-backend-tract",
            "einthoven-classify",
            "einthoven-dispatch",
            "einthoven-ecg",
            "einthoven-models",
            "einthoven-plugin-host",
            "einthoven-registry",
            "einthoven-registry-log",
            "einthoven-registry-state",
        ],
    ),
];

pub(crate) fn run() -> anyhow::Result<()> {
    let mut findings = Vec::new();
    let metadata: Value = serde_json::from_str(&output(command(
        "cargo",
        &["metadata", "--format-version", "1", "--locked"],
    ))?)?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo's metadata lists no packages")?;
    arrows(packages, &mut findings);
    sources(&mut findings)?;
    if findings.is_empty() {
        return Ok(());
    }
    bail!("tidy has {} findings:\n  {}", findings.len(), findings.join("\n  "))
}

fn arrows(packages: &[Value], findings: &mut Vec<String>) {
    for package in packages.iter().filter(|package| package["source"].is_null()) {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = ARROWS.iter().find(|(layer, _)| *layer == name) else {
            if name != "xtask" {
                findings.push(format!(
                    "crate `{name}` is not in the table of arrows in xtask/src/tidy.rs"
                ));
            }
            continue;
        };
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        for dependency in dependencies.filter(|dependency| dependency["kind"].is_null()) {
            let other = dependency["name"].as_str().unwrap_or_default();
            if other.starts_with("einthoven") && !allowed.contains(&other) {
                findings.push(format!(
                    "crate `{name}` must not depend on `{other}`; see ARCHITECTURE.md"
                ));
            }
        }
    }
}

fn sources(findings: &mut Vec<String>) -> anyhow::Result<()> {
    let listed = output(command(
        "git",
        &["ls-files", "--cached", "--others", "--exclude-standard"],
    ))?;
    for name in listed.lines().filter(|name| !name.contains("/vendor/")) {
        let code = [".rs", ".js", ".mjs", ".ts", ".py", ".css", ".html"]
            .iter()
            .any(|ending| name.ends_with(ending));
        let Ok(text) = fs::read_to_string(root().join(name)) else {
            continue;
        };
        if code && text.lines().count() > LONGEST_FILE {
            findings.push(format!(
                "{name} has {} lines; {LONGEST_FILE} are allowed",
                text.lines().count()
            ));
        }
        if let Some(kind) = crate::secrets::held(&text) {
            findings.push(format!(
                "{name} holds {kind}; take it out, and make it void where it was used"
            ));
        }
        let base = name.rsplit('/').next().unwrap_or(name);
        if ["utils.", "util.", "manager.", "helper.", "helpers."]
            .iter()
            .any(|word| base.starts_with(word))
        {
            findings.push(format!("{name}: the name says nothing; name what it holds"));
        }
        if code && !name.starts_with("xtask/src/tidy") {
            for word in ["dbg!(", "todo!(", "unimplemented!(", "FIXME", "XXX"] {
                if text.contains(word) {
                    findings.push(format!("{name} holds `{word}`"));
                }
            }
        }
    }
    Ok(())
}
