//! libfaketime, by which a test sets a server's clock.

use super::install;
use std::path::Path;

/// Installs it unless it is there.
pub(super) fn run() -> anyhow::Result<()> {
    let folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"];
    let kept = |folder: &&str| Path::new(folder).join("faketime/libfaketime.so.1").exists();
    if folders.iter().any(kept) {
        return Ok(());
    }
    install(&["libfaketime"])
}
