//! What a batch costs in a child process over the same batch in this one, with an engine that does almost nothing.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark fails by panicking")]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use einthoven_plugin_host::{DType, Device, Engines, ModelFile, ModelPackage, Plugin, TensorView, Until};
use einthoven_plugin_worker::{Crashes, EngineSetup, LoadRequest, Spawner, Worker};
use std::path::PathBuf;
use std::sync::Arc;

const MODEL: &[u8] = b"width 256\nscale 0.5\nbias 0.25\n";

fn batches(c: &mut Criterion) {
    let library = PathBuf::from(std::env::var("EINTHOVEN_EXAMPLE_ENGINE").unwrap_or_else(|_| {
        concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../target/release/libeinthoven_example_engine.so"
        )
        .to_owned()
    }));
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
        program: PathBuf::from(env!("CARGO_BIN_EXE_einthoven-worker-child")),
        arguments: Vec::new(),
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
    let mut group = c.benchmark_group("a batch of 256 values a row");
    for rows in [1, 64] {
        let values = vec![1.0_f32; rows * 256];
        let dims = [rows, 256];
        let view = || TensorView::new("x", DType::F32, &dims, bytemuck::cast_slice(&values)).unwrap();
        group.bench_function(BenchmarkId::new("in-process", rows), |b| {
            b.iter(|| here.run(&[view()], &Until::default()).unwrap());
        });
        group.bench_function(BenchmarkId::new("worker", rows), |b| {
            b.iter(|| there.run(&[view()], &Until::default()).unwrap());
        });
    }
}

criterion_group!(benches, batches);
criterion_main!(benches);
