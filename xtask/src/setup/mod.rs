//! What the tests need beside Rust: the engines' native libraries, a browser and the page's tools.

mod libraries;
mod postgres;

use crate::shell::{self, command, root};
use anyhow::bail;
use std::process::Command;

pub(crate) use libraries::run as libraries;

pub(crate) fn run() -> anyhow::Result<()> {
    libraries()?;
    postgres::run()?;
    if !found("node") || !found("npm") {
        install(&["nodejs", "npm"])?;
    }
    if !found("chromium") {
        install(&["chromium"])?;
    }
    let mut tools = command("npm", &["ci", "--no-audit", "--no-fund"]);
    tools.current_dir(root().join("web/tests"));
    shell::run(tools)
}

fn found(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Debian's packages, where we may install them; elsewhere says what is missing.
fn install(packages: &[&str]) -> anyhow::Result<()> {
    if !found("apt-get") {
        bail!("please install: {}", packages.join(", "));
    }
    shell::run(command("apt-get", &["update", "-qq"]))?;
    let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
    arguments.extend(packages);
    shell::run(command("apt-get", &arguments))
}
