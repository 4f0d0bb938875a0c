//! Measures the product; the figures are ratios within one run, the machine is named beside them.

use crate::shell::{self, built, cargo, command};

pub(crate) fn run() -> anyhow::Result<()> {
    cargo(&[
        "build",
        "--release",
        "--package",
        "einthoven",
        "--package",
        "einthoven-bench",
    ])?;
    shell::run(command(&built("einthoven-bench").to_string_lossy(), &[]))
}
