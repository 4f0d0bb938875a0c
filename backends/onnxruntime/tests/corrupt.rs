//! Damaged copies of a good model: each is refused or runs, and none kills the process.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Batch, Buffer, load, repository};
use einthoven_plugin_sdk::{Code, Device};
use serde_json::json;
use std::io::Write;
use std::process::Command;

/// Set in the child, where the damaged copies are loaded.
const CHILD: &str = "EINTHOVEN_TEST_CORRUPT";
const COPIES: u64 = 300;

/// Copy `index`: cut short, or with up to eight bits turned over.
fn damaged(good: &[u8], index: u64) -> Vec<u8> {
    let mut state = index.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let mut copy = good.to_vec();
    if index.is_multiple_of(3) {
        copy.truncate(random(good.len()));
    } else {
        for _ in 0..=random(8) {
            // Half of them near the start and the end, where the structure is and not the weights.
            let place = match random(4) {
                0 => random(400),
                1 => good.len() - 1 - random(400),
                _ => random(good.len()),
            };
            copy[place] ^= 1 << random(8);
        }
    }
    copy
}

#[test]
fn damaged_models_leave_the_process_alive() {
    if std::env::var_os(CHILD).is_some() {
        return child();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "damaged_models_leave_the_process_alive", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().rfind(|line| line.starts_with("copy ")).unwrap_or("none");
    assert!(
        output.status.success(),
        "the child ended with {} after {last}:\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(last.starts_with(&format!("copy {}", COPIES - 1)), "{last}");
}

fn child() {
    let good = std::fs::read(repository("models/heartbeat/model.onnx")).unwrap();
    let mut refused = 0;
    for index in 0..COPIES {
        println!("copy {index}");
        std::io::stdout().flush().unwrap();
        let model = match load(&damaged(&good, index), &json!({})) {
            Ok(model) => model,
            Err(failure) => {
                assert!(
                    matches!(
                        failure.code,
                        Code::InvalidArgument | Code::Unsupported | Code::ResourceExhausted
                    ),
                    "{failure:?}"
                );
                assert!(failure.message.len() > 20, "{failure:?}");
                refused += 1;
                continue;
            }
        };
        // Damage in the weights alone cannot be seen; it must still run or fail in order.
        let signature = model.signature().clone();
        let inputs: Vec<_> = signature
            .inputs
            .iter()
            .map(|spec| {
                let dims: Vec<usize> = spec.dims.iter().map(|dim| dim.unwrap_or(2)).collect();
                let size = dims.iter().product::<usize>() * spec.dtype.size();
                (spec, dims, (size < 1 << 24).then(|| Buffer::new(&vec![0; size])))
            })
            .collect();
        let views: Vec<_> = inputs
            .iter()
            .filter_map(|(spec, dims, buffer)| Some(buffer.as_ref()?.view(&spec.name, spec.dtype, dims)))
            .collect();
        let mut instance = model.instance(&Device::Cpu).unwrap();
        let _ = instance.execute(&views, &mut Batch::default());
    }
    assert!(refused > COPIES / 3, "{refused} of {COPIES} were refused");
}
