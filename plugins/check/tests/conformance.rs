//! The harness passes the examples and names what is wrong with the broken ones.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../abi/tests/support/compiler.rs"]
mod compiler;

use einthoven_plugin_check::{Report, Target, run_all};
use std::path::{Path, PathBuf};
use std::process::Command;

const CHILD: &str = env!("CARGO_BIN_EXE_einthoven-plugin-check-one");

fn plugins() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

const ENGINE: &str = "examples/conformance";
const READER: &str = "examples/reader-c/conformance";

fn check(library: &Path, samples: &str, cycles: u32, limit_s: Option<u64>, only: &[&str]) -> Report {
    let mut target = Target::new(library.to_owned());
    target.model = Some(plugins().join(samples));
    target.cycles = cycles;
    target.limit_s = limit_s;
    run_all(|| Command::new(CHILD), &target, only)
}

/// Builds a C file as the example's README says; `None` without a compiler.
fn compiled(folder: &Path, source: &str, define: Option<&str>) -> Option<PathBuf> {
    let library = folder.join(format!("lib{}.so", define.unwrap_or("sound").to_lowercase()));
    // The broken ones need clocks and threads, which C99 alone does not have.
    let option = define.map_or_else(|| "-std=c99".to_owned(), |define| format!("-DBROKEN_{define}"));
    compiler::compiled(&plugins().join(source), &library, &[&option]).then_some(library)
}

#[test]
fn the_example_in_c_passes() {
    let folder = tempfile::tempdir().unwrap();
    if let Some(library) = compiled(folder.path(), "examples/engine-c/gain.c", None) {
        let report = check(&library, ENGINE, 1000, None, &[]);
        assert!(report.passed(), "{report}");
        assert!(report.verdicts.len() > 10, "{report}");
    }
}

#[test]
fn the_example_reader_in_c_passes() {
    let folder = tempfile::tempdir().unwrap();
    if let Some(library) = compiled(folder.path(), "examples/reader-c/microvolt.c", None) {
        let report = check(&library, READER, 1000, None, &[]);
        assert!(report.passed(), "{report}");
        assert!(report.verdicts.len() > 10, "{report}");
    }
}

#[test]
fn the_example_in_rust_passes() {
    // Into a folder of its own beside this test's, since cargo holds the lock of a folder while it works in it.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples");
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--release",
            "--locked",
            "--package",
            "einthoven-example-engine",
            "--target-dir",
        ])
        .arg(&target)
        .current_dir(plugins())
        .status()
        .unwrap();
    assert!(built.success());
    let report = check(
        &target.join("release/libeinthoven_example_engine.so"),
        ENGINE,
        1000,
        None,
        &[],
    );
    assert!(report.passed(), "{report}");
    assert!(report.verdicts.len() > 10, "{report}");
}

#[test]
fn a_panic_becomes_a_failure_and_stays_in_the_library() {
    // Beside this test's own folder, where cargo puts examples.
    let tests = std::env::current_exe().unwrap();
    let library = tests.ancestors().nth(2).unwrap().join("examples/libpanics.so");
    let report = check(&library, ENGINE, 4, None, &["bad-item", "corrupt-model", "cycles"]);
    for (named, passes) in [("bad-item", false), ("corrupt-model", true), ("cycles", true)] {
        let verdict = report.verdicts.iter().find(|verdict| verdict.check == named).unwrap();
        assert_eq!(verdict.passed, passes, "{report}");
    }
    let text = report.to_string();
    assert!(
        text.contains("status 9: the plugin panicked: a value that is not finite"),
        "{report}"
    );
}

/// What is wrong, the check that must find it, and a word of the reason.
const BROKEN: &[(&str, &str, &str)] = &[
    ("VERSION", "opens", "version 2.x"),
    ("NEWER_HOST", "opens", "1.7"),
    ("SHORT", "opens", "shorter"),
    ("SHORT_TABLE", "opens", "shorter"),
    ("NULL_FUNCTION", "table", "`provider` is null"),
    ("NULL_HANDLE", "answer", "gave nothing"),
    ("DTYPE", "answer", "i64"),
    ("SHAPE", "answer", "[4, 4] for 3 items"),
    ("SEGFAULT", "answer", "signal 11"),
    ("ABORT", "answer", "signal 6"),
    ("EXIT", "answer", "ended the process with code 0"),
    ("HANG", "answer", "had not ended"),
    ("TRUSTS_DTYPE", "wrong-input", "reports success"),
    ("IGNORES_SIZE", "short-struct", "beyond"),
    ("SILENT", "corrupt-model", "without a sentence"),
    ("WHOLE_BATCH", "bad-item", "not finite"),
    ("SHARED", "two-instances", "beside another instance"),
    ("DEAF", "cancel", "came back after"),
    ("LATE", "cancel", "after the batch had returned"),
    ("LEAK", "cycles", "memory grew"),
    ("DOUBLE_FREE", "close", "signal 6"),
];

/// The same of readers.
const BROKEN_READERS: &[(&str, &str, &str)] = &[
    ("STRANGE_KIND", "opens", "kind"),
    ("NO_RECOGNISES", "table", "`recognises` is null"),
    ("TAKES_ALL", "answer", "it takes noise.bin"),
    ("OTHER_SAMPLES", "answer", "read again, it has other samples"),
    ("NO_LEAD", "answer", "gave no lead"),
    ("INFINITE", "answer", "infinity"),
    ("TRUSTS_NULL", "null", "signal 11"),
    ("READER_IGNORES_SIZE", "short-struct", "beyond"),
    ("WANTS_ITS_SIZE", "long-struct", "something else"),
    ("IGNORES_REFUSAL", "refused-leads", "reports success"),
    ("BELIEVES_UNITS", "wrong-hints", "infinity"),
    ("READER_SILENT", "truncated", "without a sentence"),
    ("ASSERTS", "mutated", "signal 6"),
    ("ONE_AT_A_TIME", "two-at-once", "two readings at once"),
    ("READER_LEAK", "cycles", "memory grew"),
];

/// Those whose check does not find what it is for.
fn missed(source: &str, samples: &str, broken: &[(&str, &str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for (define, named, reason) in broken {
        let Some(library) = compiled(folder.path(), source, Some(define)) else {
            return wrong;
        };
        let limit = (*define == "HANG").then_some(3);
        let report = check(&library, samples, 1000, limit, &[named]);
        let found = report
            .verdicts
            .iter()
            .any(|verdict| verdict.check == *named && !verdict.passed && verdict.text.contains(reason));
        if !found {
            wrong.push(format!("{define}:\n{report}"));
        }
    }
    wrong
}

#[test]
fn every_broken_engine_fails_the_check_that_is_for_it() {
    let wrong = missed("check/tests/broken/broken.c", ENGINE, BROKEN);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_broken_reader_fails_the_check_that_is_for_it() {
    let wrong = missed("check/tests/broken/reader.c", READER, BROKEN_READERS);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
