//! What LiteRT makes of damaged files, each in a process of its own: it checks the format and refuses most, but an odd one
//! asks for gigabytes first, which the host's bounds on a loading process are for. Run with `--ignored --nocapture`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use einthoven_plugin_sdk::TensorView;
use serde_json::json;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::{Outputs, engine, instance, load, ours, small};

const MUTANTS: u64 = 300;
const FROM: &str = "EINTHOVEN_TEST_MUTANT";
const LONGEST: Duration = Duration::from_secs(20);

/// One of four files with one to four of its bits flipped, the same for the same number. The first two are mostly weights,
/// where a flip changes only answers; the other two have hardly any.
fn mutant(number: u64) -> Vec<u8> {
    let mut bytes = match number % 4 {
        0 => ours("heartbeat", "model.tflite"),
        1 => ours("heartbeat-row", "model.tflite"),
        2 => small("types"),
        _ => small("dynamic_range"),
    };
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for _ in 0..=number / 4 % 4 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let at = (state >> 20) as usize % bytes.len();
        bytes[at] ^= 1 << (state >> 61);
    }
    bytes
}

#[test]
#[ignore = "started by the other one"]
fn child() {
    let Ok(which) = std::env::var(FROM) else { return };
    // A file, to look at one by hand.
    let bytes = std::fs::read(&which).unwrap_or_else(|_| mutant(which.parse().unwrap()));
    let engine = engine();
    let verdict = match load(&engine, &bytes, &json!({})) {
        Err(failure) => format!("refused: {failure}"),
        Ok(model) => {
            let inputs: Vec<_> = model
                .signature()
                .inputs
                .iter()
                .map(|spec| {
                    let dims: Vec<_> = spec.dims.iter().map(|dim| dim.unwrap_or(2)).collect();
                    let bytes = vec![0; dims.iter().product::<usize>() * spec.dtype.size()];
                    (spec, dims, bytes)
                })
                .collect();
            let views: Vec<_> = inputs
                .iter()
                .map(|(spec, dims, bytes)| TensorView::new(&spec.name, spec.dtype, dims, bytes).unwrap())
                .collect();
            match instance(&*model).execute(&views, &mut Outputs::default()) {
                Ok(()) => "ran".to_owned(),
                Err(failure) => format!("loaded, did not run: {failure}"),
            }
        }
    };
    println!("VERDICT {verdict}");
}

#[test]
#[ignore = "minutes, and a measure rather than a check"]
fn damaged_files() {
    let (mut ran, mut refused, mut died) = (0, 0, Vec::new());
    for number in 0..MUTANTS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--ignored", "--nocapture"])
            .env(FROM, number.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if start.elapsed() > LONGEST {
                child.kill().unwrap();
                break None;
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let output = String::from_utf8_lossy(&child.wait_with_output().unwrap().stdout).into_owned();
        let verdict = output
            .lines()
            .find_map(|line| line.split_once("VERDICT "))
            .map(|(_, verdict)| verdict);
        match (status, verdict) {
            (Some(_), Some("ran")) => ran += 1,
            (Some(_), Some(verdict)) => {
                refused += 1;
                println!("{number}: {verdict}");
            }
            (status, _) => died.push((number, status.map(|status| status.to_string()))),
        }
    }
    println!(
        "{MUTANTS} mutants: {ran} ran, {refused} were refused, {} killed the process: {died:?}",
        died.len()
    );
}
