//! What a panic leaves in the log, in a process of its own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails, and panicking is what is tried"
)]

use einthoven_telemetry::{Format, LogArguments, Traces};
use std::process::Command;

const MARK: &str = "EINTHOVEN_TEST_CRASH";

/// The child's part: it panics with a text that was made at run time, then with a fixed one.
#[test]
#[ignore = "the other test runs it in a child process"]
fn crashing() {
    if std::env::var_os(MARK).is_none() {
        return;
    }
    let log_format = Format::Json;
    let log = "info".to_owned();
    LogArguments { log_format, log }.start(&Traces::none()).unwrap();
    let name = String::from("Zebulon Quartermain, born 1931-07-23");
    let made = std::thread::spawn(move || panic!("no such patient: {name}"));
    assert!(made.join().is_err());
    let fixed = std::thread::Builder::new()
        .name("reader".to_owned())
        .spawn(|| panic!("a fixed text"));
    assert!(fixed.unwrap().join().is_err());
}

#[test]
fn what_a_panic_said_is_logged_only_where_it_is_fixed() {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crashing", "--ignored", "--nocapture"])
        .env(MARK, "1")
        .env("RUST_BACKTRACE", "1")
        .output()
        .unwrap();
    assert!(child.status.success());
    let log = String::from_utf8_lossy(&child.stderr).into_owned();
    let all = log.clone() + &String::from_utf8_lossy(&child.stdout);
    assert!(!all.contains("Quartermain") && !all.contains("1931-07"), "{all}");
    let lines: Vec<serde_json::Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert!(
        lines
            .iter()
            .all(|line| line["place"].as_str().is_some_and(|place| place.contains("crash.rs")))
    );
    assert!(lines[1]["message"].as_str().unwrap().contains("a fixed text"), "{log}");
    assert_eq!(lines[1]["thread"], "reader");
}
