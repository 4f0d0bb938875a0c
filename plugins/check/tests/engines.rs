//! The engine plugins of this repository keep to the contract, as `cargo xtask engines` lays them out.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use einthoven_plugin_check::{Target, run_all};
use std::path::Path;
use std::process::Command;

/// Every check, with the model that this repository embeds and its golden outputs.
fn passes(engine: &str) {
    let engines = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("engines");
    let library = engines.join(format!("libeinthoven_backend_{engine}.so"));
    assert!(
        library.exists(),
        "{} is missing: run `cargo xtask engines`",
        library.display()
    );
    let mut target = Target::new(library);
    target.model = Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/heartbeat"));
    let child = env!("CARGO_BIN_EXE_einthoven-plugin-check-one");
    let report = run_all(|| Command::new(child), &target, &[]);
    assert!(report.passed(), "{report}");
    assert!(report.verdicts.len() > 10, "{report}");
}

#[test]
fn onnxruntime_passes() {
    passes("onnxruntime");
}

#[test]
fn litert_passes() {
    passes("litert");
}

#[test]
fn candle_passes() {
    passes("candle");
}
