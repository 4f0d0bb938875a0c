//! PostgreSQL, which the tests of the registry's log start themselves.

use super::{found, install};
use std::fs;

/// Installs the server unless its programs are there.
pub(super) fn run() -> anyhow::Result<()> {
    // Debian keeps each version's programs in a folder that is not on the path.
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let kept = debian
        .map(|version| version.path().join("bin/initdb"))
        .any(|path| path.exists());
    if kept || found("initdb") {
        return Ok(());
    }
    install(&["postgresql"])
}
