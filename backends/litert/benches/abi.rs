//! What the contract costs: batches of the heartbeat model straight on LiteRT, and through the host.
//!
//!     cargo xtask setup && cargo bench -p einthoven-backend-litert --bench abi
#![allow(clippy::unwrap_used, missing_docs, reason = "a measurement fails by panicking")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use einthoven_backend_litert::runtime::{CompiledModel, Environment, Graph};
use einthoven_plugin_host::{DType, Device, Engines, ModelFile, ModelPackage, Plugin, TensorView, Until};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const BATCHES: [usize; 5] = [1, 8, 64, 512, 2048];

fn library() -> PathBuf {
    let beside = || {
        let binary = std::env::current_exe().unwrap();
        binary.ancestors().nth(3).unwrap().join("libraries/libLiteRt.so")
    };
    std::env::var_os("EINTHOVEN_LITERT").map_or_else(beside, PathBuf::from)
}

/// A thing like a beat, and of an RR history, for every row.
fn rows(batch: usize, per_row: usize) -> Vec<u8> {
    (0..batch * per_row)
        .flat_map(|index| ((index as f32 * 0.37).sin()).to_le_bytes())
        .collect()
}

fn abi(criterion: &mut Criterion) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/heartbeat");
    let bytes = std::fs::read(folder.join("model.tflite")).unwrap();

    #[allow(unsafe_code, reason = "the bare library")]
    // SAFETY: what `cargo xtask setup` brought is the version pinned there.
    let environment = Arc::new(unsafe { Environment::open(&library()) }.unwrap());
    let graph = Arc::new(Graph::read(&environment, &bytes).unwrap());
    let order = graph.inputs(0).unwrap();

    let mut engines = Engines::default();
    let plugin = Plugin::linked_engine::<einthoven_backend_litert::LiteRtEngine>().unwrap();
    engines
        .add(plugin, &serde_json::json!({ "library": library() }))
        .unwrap();
    let files = [ModelFile {
        name: "model.tflite",
        bytes: &bytes,
    }];
    let package = ModelPackage {
        files: &files,
        entry: "model.tflite",
        directory: None,
    };
    let model = engines.load("litert", &package, &serde_json::json!({})).unwrap();

    let mut group = criterion.benchmark_group("heartbeat");
    group.measurement_time(Duration::from_secs(6)).sample_size(60);
    for batch in BATCHES {
        group.throughput(Throughput::Elements(batch as u64));
        let shapes: Vec<Vec<usize>> = order
            .iter()
            .map(|spec| {
                std::iter::once(batch)
                    .chain(spec.dims[1..].iter().flatten().copied())
                    .collect()
            })
            .collect();
        let data: Vec<_> = shapes
            .iter()
            .map(|dims| rows(batch, dims[1..].iter().product()))
            .collect();

        let mut bare = CompiledModel::new(&graph, 0, 1).unwrap();
        for (input, dims) in shapes.iter().enumerate() {
            bare.resize(input, dims).unwrap();
        }
        let output = bare.layout(1).unwrap().remove(0);
        let mut inputs: Vec<_> = shapes
            .iter()
            .map(|dims| bare.buffer(DType::F32, dims).unwrap())
            .collect();
        let mut outputs = [bare.buffer(DType::F32, &output).unwrap()];
        group.bench_function(BenchmarkId::new("bare", batch), |bencher| {
            bencher.iter(|| {
                for (buffer, bytes) in inputs.iter_mut().zip(&data) {
                    buffer.bytes_mut().copy_from_slice(bytes);
                }
                bare.run(&mut inputs, &mut outputs).unwrap();
                outputs[0].bytes().to_vec()
            });
        });

        let mut runner = model.runner(&Device::Cpu).unwrap();
        group.bench_function(BenchmarkId::new("host", batch), |bencher| {
            bencher.iter(|| {
                let views: Vec<_> = order
                    .iter()
                    .zip(&shapes)
                    .zip(&data)
                    .map(|((spec, dims), bytes)| TensorView::new(&spec.name, DType::F32, dims, bytes).unwrap())
                    .collect();
                black_box(runner.run(&views, &Until::default()).unwrap())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, abi);
criterion_main!(benches);
