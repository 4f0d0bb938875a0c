//! What a batch costs in a child process over the same batch in this one, with an engine that does almost nothing.
//! Medians of runs in turns, so that whatever else the machine does meets both.
//!
//!     cargo xtask engines && cargo bench -p einthoven-plugin-worker --bench worker
#![allow(clippy::unwrap_used, missing_docs, reason = "a measurement fails by panicking")]

use einthoven_plugin_host::{DType, Device, Engines, ModelFile, ModelPackage, Plugin, TensorView, Until};
use einthoven_plugin_worker::{Crashes, EngineSetup, LoadRequest, Spawner, Worker};
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

const MODEL: &[u8] = b"width 256\nscale 0.5\nbias 0.25\n";

/// Runs of one kind before it is the other's turn.
const TURN: usize = 20;

/// Spent on each batch size.
const SPENT: Duration = Duration::from_secs(3);

fn main() {
    let child = PathBuf::from(env!("CARGO_BIN_EXE_einthoven-worker-child"));
    let library = child.with_file_name("libeinthoven_example_engine.so");
    let plugin = Plugin::unsealed(&library).unwrap();
    let engine = plugin.name.clone();
    let mut engines = Engines::default();
    engines.add(plugin, &serde_json::json!({})).unwrap();
    let file = [ModelFile {
        name: "model.gain",
        bytes: MODEL,
    }];
    let package = ModelPackage {
        files: &file,
        entry: "model.gain",
        directory: None,
    };
    let model = engines.load(&engine, &package, &serde_json::json!({})).unwrap();
    let mut here = model.runner(&Device::Cpu).unwrap();
    let spawner = Spawner {
        program: child,
        setup: EngineSetup {
            plugins: vec![library],
            sections: serde_json::Map::new(),
        },
        ..Spawner::default()
    };
    let request = LoadRequest {
        engine,
        config: serde_json::json!({}),
        device: Device::Cpu,
        entry: "model.gain".to_owned(),
        files: vec![("model.gain".to_owned(), MODEL.to_vec())],
        directory: None,
    };
    let mut there = Worker::start(Arc::new(spawner), Arc::new(request), Crashes::default()).unwrap();
    println!(
        "{:>6} {:>14} {:>10} {:>10} {:>8}",
        "rows", "in-process us", "worker us", "added us", "runs"
    );
    for rows in [1, 8, 64, 512] {
        let values = vec![1.0_f32; rows * 256];
        let dims = [rows, 256];
        let view = || TensorView::new("x", DType::F32, &dims, bytemuck::cast_slice(&values)).unwrap();
        let (mut inside, mut outside) = (Vec::new(), Vec::new());
        let begin = Instant::now();
        while begin.elapsed() < SPENT {
            // In turns of many, since a worker that has nothing to do falls asleep while this process works.
            for _ in 0..TURN {
                let start = Instant::now();
                black_box(here.run(&[view()], &Until::default()).unwrap());
                inside.push(start.elapsed());
            }
            for _ in 0..TURN {
                let start = Instant::now();
                black_box(there.run(&[view()], &Until::default()).unwrap());
                outside.push(start.elapsed());
            }
        }
        let runs = inside.len();
        let (inside, outside) = (median(inside), median(outside));
        println!(
            "{rows:>6} {inside:>14.1} {outside:>10.1} {:>10.1} {runs:>8}",
            outside - inside
        );
    }
}

/// In microseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}
