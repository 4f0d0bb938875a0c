//! What a model that runs in-process notices while another one's worker crashes, again and again and however it likes:
//! the 99th percentile of its batches in alternating seconds with and without the crashes.
//!
//!     cargo xtask engines && cargo bench -p einthoven-plugin-worker --bench neighbours
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    reason = "a measurement fails by panicking"
)]

#[path = "../../abi/tests/support/compiler.rs"]
mod compiler;

use einthoven_plugin_host::{DType, Device, Engines, ModelFile, ModelPackage, Plugin, Runner, TensorView, Until};
use einthoven_plugin_worker::{Crashes, EngineSetup, Limits, LoadRequest, Spawner, Worker};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Rows of a batch of the model that is watched.
const ROWS: usize = 16;

/// How long the watched model runs with and without crashes in turn, and how often.
const SPAN: Duration = Duration::from_secs(1);
const TURNS: usize = 6;

/// From one crash to the next. The server gives a model up after five within a minute.
const PAUSE: Duration = Duration::from_millis(200);

/// What the faulty engine of the tests does, by the first value of a batch; 0 is killed from outside.
const FAULTS: [(&str, f32); 5] = [
    ("kill -9", 0.0),
    ("segfault", 1001.0),
    ("abort", 1002.0),
    ("endless loop", 1003.0),
    ("out of memory", 1004.0),
];

fn main() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let child = PathBuf::from(env!("CARGO_BIN_EXE_einthoven-worker-child"));
    let faulty = child.with_file_name("libfaults-bench.so");
    assert!(compiler::compiled(&here.join("tests/faults.c"), &faulty, &[]));
    let engines = child.parent().unwrap().with_file_name("engines");
    let mut watched = candle(&engines, here);

    println!(
        "{:>14} {:>10} {:>10} {:>8} {:>8}",
        "", "p99 us", "p99 us", "", "crashes"
    );
    println!(
        "{:>14} {:>10} {:>10} {:>8} {:>8}",
        "other model", "alone", "beside", "ratio", ""
    );
    for (name, first) in FAULTS {
        let (mut alone, mut beside) = (Vec::new(), Vec::new());
        let crashes = AtomicUsize::new(0);
        for _ in 0..TURNS {
            run_for(SPAN, &mut watched, &mut alone);
            let end = AtomicBool::new(false);
            thread::scope(|scope| {
                scope.spawn(|| {
                    while !end.load(Ordering::Relaxed) {
                        crash(&child, &faulty, first);
                        crashes.fetch_add(1, Ordering::Relaxed);
                        thread::sleep(PAUSE);
                    }
                });
                run_for(SPAN, &mut watched, &mut beside);
                end.store(true, Ordering::Relaxed);
            });
        }
        let (alone, beside) = (high(alone), high(beside));
        let crashes = crashes.into_inner();
        println!(
            "{name:>14} {alone:>10.0} {beside:>10.0} {:>8.2} {crashes:>8}",
            beside / alone
        );
    }
}

/// The embedded model on candle, as a plugin.
fn candle(engines: &Path, here: &Path) -> Runner {
    let read = |name: &str| std::fs::read(here.join("../../models/heartbeat").join(name)).unwrap();
    let (weights, config) = (read("model.safetensors"), read("config.json"));
    let files =
        [("model.safetensors", &weights), ("config.json", &config)].map(|(name, bytes)| ModelFile { name, bytes });
    let package = ModelPackage {
        files: &files,
        entry: "model.safetensors",
        directory: None,
    };
    let plugin = Plugin::unsealed(&engines.join("libeinthoven_backend_candle.so")).unwrap();
    let mut table = Engines::default();
    table.add(plugin, &serde_json::json!({})).unwrap();
    let model = table.load("candle", &package, &serde_json::json!({})).unwrap();
    model.runner(&Device::Cpu).unwrap()
}

fn run_for(span: Duration, runner: &mut Runner, times: &mut Vec<Duration>) {
    let (beat, rr) = (vec![0.5_f32; ROWS * 2 * 128], vec![0.5_f32; ROWS * 30]);
    let inputs = [
        TensorView::new("beat", DType::F32, &[ROWS, 2, 128], bytemuck::cast_slice(&beat)).unwrap(),
        TensorView::new("rr", DType::F32, &[ROWS, 30], bytemuck::cast_slice(&rr)).unwrap(),
    ];
    let begin = Instant::now();
    while begin.elapsed() < span {
        let start = Instant::now();
        runner.run(&inputs, &Until::default()).unwrap();
        times.push(start.elapsed());
    }
}

/// Starts a worker and has it end badly.
fn crash(child: &Path, faulty: &Path, first: f32) {
    let spawner = Arc::new(Spawner {
        program: child.to_owned(),
        setup: EngineSetup {
            plugins: vec![faulty.to_owned()],
            sections: serde_json::Map::new(),
        },
        limits: Limits {
            memory_bytes: 256 << 20,
            ..Limits::default()
        },
        ..Spawner::default()
    });
    let request = Arc::new(LoadRequest {
        engine: "gain-c".to_owned(),
        config: serde_json::json!({}),
        device: Device::Cpu,
        entry: "model.gain".to_owned(),
        files: vec![("model.gain".to_owned(), b"width 4\nscale 0.5\nbias 0.25\n".to_vec())],
        directory: None,
    });
    let mut worker = Worker::start(spawner, request, Crashes::default()).unwrap();
    if first == 0.0 {
        let process = worker.process().unwrap().to_string();
        Command::new("kill").args(["-9", &process]).status().unwrap();
    }
    let values = [first, 1.0, 2.0, 3.0];
    let view = TensorView::new("x", DType::F32, &[1, 4], bytemuck::cast_slice(&values)).unwrap();
    let until = Until {
        deadline: Some(Instant::now() + Duration::from_millis(100)),
        cancelled: None,
    };
    // How it ends is the tests' affair.
    let _ = worker.run(&[view], &until);
}

/// The 99th percentile in microseconds.
fn high(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() * 99 / 100].as_secs_f64() * 1e6
}
