//! A library beside the plugin is found; one library serves the process.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{library, open};
use einthoven_backend_onnxruntime::OnnxRuntimeEngine;
use einthoven_plugin_sdk::{Code, Engine, Setup};
use serde_json::json;
use std::fs;

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
