//! What the tests need beside Rust: the engines' native libraries, Python packages, a browser and the page's tools.

mod faketime;
mod libraries;
mod postgres;
mod prometheus;
mod python;
mod pytorch;

use crate::shell::{self, command, root, target};
use anyhow::{Context, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) use libraries::run as libraries;
pub(crate) use python::{Environment, have as environment, run as python};

pub(crate) fn run() -> anyhow::Result<()> {
    libraries()?;
    python()?;
    pytorch::run()?;
    postgres::run()?;
    prometheus::run()?;
    faketime::run()?;
    if !found("node") || !found("npm") {
        install(&["nodejs", "npm"])?;
    }
    if !found("chromium") {
        install(&["chromium"])?;
    }
    ["web/tests", "openapi/lint"].into_iter().try_for_each(|folder| {
        let mut tools = command("npm", &["ci", "--no-audit", "--no-fund"]);
        tools.current_dir(root().join(folder));
        shell::run(tools)
    })
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
    let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
    arguments.extend(packages);
    for arguments in [&["update", "-qq"], arguments.as_slice()] {
        shell::run(as_root("apt-get", arguments))?;
    }
    Ok(())
}

/// By sudo, where we are not root and there is sudo.
fn as_root(program: &str, arguments: &[&str]) -> Command {
    let asked = Command::new("id").arg("--user").output();
    let root = asked.is_ok_and(|said| said.stdout.trim_ascii() == b"0");
    if root || !found("sudo") {
        return command(program, arguments);
    }
    command("sudo", &[&["--non-interactive", program], arguments].concat())
}

/// `$XDG_CACHE_HOME/einthoven`, in the user's home folder unless set.
fn cache() -> PathBuf {
    let folder = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    folder.unwrap_or_else(target).join("einthoven")
}

/// Makes `wanted` a link to the kept file or folder, unless it is one.
fn place(kept: &Path, wanted: &Path) -> anyhow::Result<()> {
    if fs::read_link(wanted).is_ok_and(|aim| aim == kept) {
        return Ok(());
    }
    // Renamed over the old one, so that a test running meanwhile always finds it.
    let fresh = wanted.with_extension("new");
    if fresh.is_symlink() || fresh.exists() {
        fs::remove_file(&fresh)?;
    }
    std::os::unix::fs::symlink(kept, &fresh)
        .and_then(|()| fs::rename(&fresh, wanted))
        .with_context(|| format!("cannot write {}", wanted.display()))
}
