//! A library beside the plugin is found; one library serves the process, and tells nobody.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{library, open};
use einthoven_backend_onnxruntime::OnnxRuntimeEngine;
use einthoven_plugin_sdk::{Code, Engine, Setup};
use serde_json::json;
use std::fs;
use std::process::Command;

#[test]
fn the_library_beside_the_plugin_is_found_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let config = json!({});
    let setup = Setup {
        directory: Some(folder.path()),
        config: &config,
    };
    let missing = OnnxRuntimeEngine::open(&setup).err().unwrap();
    assert_eq!(missing.code, Code::NotFound);
    assert!(missing.message.contains(&*folder.path().to_string_lossy()), "{missing}");

    std::os::unix::fs::symlink(library(), folder.path().join("libonnxruntime.so")).unwrap();
    let engine = OnnxRuntimeEngine::open(&setup).unwrap();
    assert!(engine.runtime().starts_with("1."), "{}", engine.runtime());
    // The same file by another name is the same library; another file cannot join the process.
    assert!(open(&json!({ "library": library() })).is_ok());
    let copy = folder.path().join("copy.so");
    fs::copy(library(), &copy).unwrap();
    let second = open(&json!({ "library": copy })).err().unwrap();
    assert!(second.message.contains("restart"), "{second}");
}

/// Set in the child, whose home is empty.
const CHILD: &str = "EINTHOVEN_TEST_SILENCE";

#[test]
fn nothing_is_reported_to_the_librarys_maker() {
    if std::env::var_os(CHILD).is_some() {
        let graph = fs::read(common::repository("models/heartbeat/model.onnx")).unwrap();
        drop(common::instance(&graph));
        return;
    }
    // ONNX Runtime keeps an identifier of the device and what waits to be sent below the user's cache.
    let home = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "nothing_is_reported_to_the_librarys_maker"])
        .env(CHILD, "1");
    child.env("HOME", home.path()).env("XDG_CACHE_HOME", home.path());
    // Each of these silences it too, and would hide a fault.
    for variable in ["CI", "GITHUB_ACTIONS", "ORT_DISABLE_TELEMETRY"] {
        child.env_remove(variable);
    }
    assert!(child.status().unwrap().success());
    let kept: Vec<_> = fs::read_dir(home.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(kept.is_empty(), "{kept:?}");
}
