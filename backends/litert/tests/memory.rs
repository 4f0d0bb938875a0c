//! Alone in its process, so that nothing else moves its memory.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::json;
use support::{engine, golden, instance, load, ours, run};

/// Resident memory in kilobytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn models_that_come_and_go_leave_no_memory_behind() {
    if cfg!(not(target_os = "linux")) {
        eprintln!("SKIPPED: resident memory is read as Linux tells it");
        return;
    }
    let engine = engine();
    let bytes = ours("heartbeat", "model.tflite");
    let inputs: Vec<_> = golden("heartbeat", "inputs")
        .iter()
        .map(|input| input.rows(0, 64))
        .collect();
    let cycles = |count: usize| {
        for _ in 0..count {
            let model = load(&engine, &bytes, &json!({ "threads": 2 })).unwrap();
            run(&mut *instance(&*model), &inputs).unwrap();
            assert!(load(&engine, &bytes[..bytes.len() / 2], &json!({})).is_err());
        }
    };
    cycles(50);
    let before = resident();
    cycles(200);
    let grown = resident().saturating_sub(before);
    // One forgotten copy of the file a cycle would be 9,000.
    assert!(grown < 2_000, "{grown} kB in 200 cycles");
}
