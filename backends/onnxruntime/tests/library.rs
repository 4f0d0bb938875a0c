//! A shared library that is missing or no good is a failure that says why, at once. No good one is opened in this process.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{library, open};
use einthoven_plugin_sdk::{Code, Failure};
use serde_json::json;
use std::fs;
use std::path::Path;
use std::process::Command;

fn refusal(path: &Path) -> Failure {
    let failure = open(&json!({ "library": path })).err().unwrap();
    assert!(failure.message.contains(&*path.to_string_lossy()), "{failure}");
    assert!(failure.message.contains("install"), "{failure}");
    failure
}

/// The first bytes of a shared library for a machine.
fn header(machine: u8) -> Vec<u8> {
    let mut header = vec![0; 64];
    header[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    header[16] = 3;
    header[18] = machine;
    header
}

#[test]
fn files_that_are_no_library_for_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let other = if cfg!(target_arch = "aarch64") {
        (62, "for x86_64")
    } else {
        (183, "for aarch64")
    };
    let mut cut = fs::read(library()).unwrap();
    cut.truncate(1 << 20);
    let mut old = header(if cfg!(target_arch = "aarch64") { 183 } else { 62 });
    old[4] = 1;
    let cases: [(&str, Vec<u8>, &str); 7] = [
        ("empty.so", Vec::new(), "is empty"),
        ("text.so", b"INPUT(libonnxruntime.so.1)".to_vec(), "no shared library"),
        ("machine.so", header(other.0), other.1),
        ("bits.so", old, "for 32 bits"),
        ("mark.so", b"\x7fELF".to_vec(), "cut short"),
        ("cut.so", cut, "cut short"),
        ("program.so", fs::read(std::env::current_exe().unwrap()).unwrap(), ""),
    ];
    for (name, bytes, said) in cases {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let failure = refusal(&path);
        assert_eq!(failure.code, Code::Unavailable, "{failure}");
        assert!(failure.message.contains(said), "{name}: {failure}");
    }
    assert!(refusal(folder.path()).message.contains("is not a file"));
    assert_eq!(refusal(&folder.path().join("nowhere.so")).code, Code::NotFound);
}

#[test]
fn libraries_that_are_not_onnx_runtime_or_too_old() {
    let folder = tempfile::tempdir().unwrap();
    let old = r#"
        static const void *api(unsigned version) { return 0; }
        static const char *version(void) { return "VERSION"; }
        static const struct { const void *(*api)(unsigned); const char *(*version)(void); } base = { api, version };
        const void *OrtGetApiBase(void) { return &base; }"#;
    let cases = [
        ("other", "int answer(void) { return 42; }".to_owned(), "OrtGetApiBase"),
        (
            "nothing",
            "void *OrtGetApiBase(void) { return 0; }".to_owned(),
            "gives nothing",
        ),
        (
            "null",
            "static void *base[2]; void *OrtGetApiBase(void) { return base; }".to_owned(),
            "gives nothing",
        ),
        (
            "old",
            old.replace("VERSION", "1.20.1"),
            "is ONNX Runtime 1.20.1, 1.24 or newer is needed",
        ),
        ("new", old.replace("VERSION", "2.0.0"), "is ONNX Runtime 2.0.0"),
        ("odd", old.replace("VERSION", "one"), "is ONNX Runtime one"),
        ("hollow", old.replace("VERSION", "1.30.0"), "without the interface"),
    ];
    for (name, code, said) in cases {
        let source = folder.path().join(format!("{name}.c"));
        let path = folder.path().join(format!("{name}.so"));
        fs::write(&source, code).unwrap();
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .arg(&path)
            .arg(&source)
            .status()
            .unwrap();
        assert!(built.success());
        let failure = refusal(&path);
        assert_eq!(failure.code, Code::Unavailable, "{failure}");
        assert!(failure.message.contains(said), "{name}: {failure}");
    }
}

#[test]
fn unknown_keys_of_the_configuration_are_refused() {
    let failure = open(&json!({ "librari": "x" })).err().unwrap();
    assert_eq!(failure.code, Code::InvalidArgument);
    assert!(failure.message.contains("librari"), "{failure}");
}
