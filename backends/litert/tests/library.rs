//! Finding the library: every wrong one is a sentence with a remedy, at once.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use einthoven_backend_litert::LiteRtEngine;
use einthoven_plugin_sdk::{Code, Engine, Setup};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::fs;
use support::{library, open};

#[test]
fn a_library_that_cannot_be_used_is_named_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let real = fs::read(library()).unwrap();
    let mut foreign = real[..4096].to_vec();
    foreign[18..20].copy_from_slice(&183_u16.to_le_bytes());
    if cfg!(target_arch = "aarch64") {
        foreign[18..20].copy_from_slice(&62_u16.to_le_bytes());
    }
    let mut changed = real.clone();
    *changed.last_mut().unwrap() ^= 1;
    for (name, content, word) in [
        ("empty.so", &b""[..], "empty"),
        ("text.so", b"#!/bin/sh\necho no library\n", "not a shared library"),
        ("foreign.so", &foreign, "another processor"),
        ("other.so", &changed, "SHA-256"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let failure = open(&json!({ "library": path })).err().unwrap();
        assert_eq!(failure.code, Code::Unavailable);
        for part in [name, word, "cargo xtask setup"] {
            assert!(failure.message.contains(part), "{failure}");
        }
    }
    let failure = open(&json!({ "library": folder.path().join("none.so") }))
        .err()
        .unwrap();
    assert_eq!(failure.code, Code::NotFound);
    assert!(
        failure.message.contains("none.so") && failure.message.contains("cargo xtask setup"),
        "{failure}"
    );
    assert!(
        open(&json!({ "libary": "x" }))
            .err()
            .unwrap()
            .message
            .contains("libary")
    );
}

#[test]
fn a_vouched_for_library_without_the_functions_is_refused_by_the_function() {
    // A test binary's own C library has none of LiteRT's functions.
    let Some(path) = [
        "/lib/x86_64-linux-gnu/libm.so.6",
        "/lib/aarch64-linux-gnu/libm.so.6",
        "/lib64/libm.so.6",
    ]
    .into_iter()
    .find(|path| fs::exists(path).unwrap()) else {
        eprintln!("SKIPPED: no libm.so.6 where Linux has it");
        return;
    };
    let sha256 = hex::encode(Sha256::digest(fs::read(path).unwrap()));
    let failure = open(&json!({ "library": path, "sha256": sha256 })).err().unwrap();
    assert_eq!(failure.code, Code::Unavailable);
    assert!(failure.message.contains("LiteRtCreateEnvironment"), "{failure}");
}

#[test]
fn the_library_beside_the_plugin_is_found() {
    if std::env::var_os("EINTHOVEN_LITERT").is_some() {
        eprintln!("SKIPPED: EINTHOVEN_LITERT comes before the plugin's folder");
        return;
    }
    let path = library();
    let config = json!({});
    let setup = Setup {
        directory: path.parent(),
        config: &config,
    };
    assert!(LiteRtEngine::open(&setup).is_ok());
    let nowhere = Setup {
        directory: None,
        config: &config,
    };
    let failure = LiteRtEngine::open(&nowhere).err().unwrap();
    assert_eq!(failure.code, Code::NotFound);
    assert!(failure.message.contains("cargo xtask setup"), "{failure}");
}
