//! One batch of `heartbeat` on the engine's own instance, and the same through the host and its table of C functions.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench that cannot run stops; criterion's macro writes no docs"
)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use einthoven_backend_candle::CandleEngine;
use einthoven_plugin_host::{Engines, Plugin, Until};
use einthoven_plugin_sdk::{Call, DType, Device, Engine, Failure, ModelFile, ModelPackage, Setup, TensorView};
use serde_json::json;
use std::path::Path;
use std::time::Instant as Time;

/// A buffer of the caller's, made anew for each batch as the host does.
#[derive(Default)]
struct Bare(Vec<u64>);

impl Call for Bare {
    fn output(&mut self, _name: &str, dtype: DType, dims: &[usize]) -> Result<&mut [u8], Failure> {
        let length = dims.iter().product::<usize>() * dtype.size();
        self.0 = vec![0; length.div_ceil(8)];
        Ok(&mut bytemuck::cast_slice_mut(&mut self.0)[..length])
    }

    fn fail_item(&mut self, _item: usize, _failure: Failure) {}

    fn cancelled(&self) -> bool {
        false
    }

    fn deadline(&self) -> Option<Time> {
        None
    }
}

fn bench(criterion: &mut Criterion) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/heartbeat");
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let (weights, config) = (read("model.safetensors"), read("config.json"));
    let files =
        [("model.safetensors", &weights), ("config.json", &config)].map(|(name, bytes)| ModelFile { name, bytes });
    let package = ModelPackage {
        files: &files,
        entry: "model.safetensors",
        directory: None,
    };
    let setup = Setup {
        directory: None,
        config: &json!({}),
    };
    let model = CandleEngine::open(&setup).unwrap().load(&package, &json!({})).unwrap();
    let mut bare = model.instance(&Device::Cpu).unwrap();
    let mut engines = Engines::default();
    let plugin = Plugin::linked_engine::<CandleEngine>().unwrap();
    engines.add(plugin, &json!({})).unwrap();
    let loaded = engines.load("candle", &package, &json!({})).unwrap();
    let mut hosted = loaded.runner(&Device::Cpu).unwrap();

    let mut group = criterion.benchmark_group("heartbeat");
    for batch in [1, 8, 64, 512, 2048] {
        let wave = |count: usize| (0..count).map(|k| (k as f32 * 0.37).sin()).collect::<Vec<f32>>();
        let (beat, rr) = (wave(batch * 2 * 128), wave(batch * 30));
        let (beat_dims, rr_dims) = ([batch, 2, 128], [batch, 30]);
        let view = |name, dims, values| TensorView::new(name, DType::F32, dims, bytemuck::cast_slice(values)).unwrap();
        let inputs = [view("beat", &beat_dims, &beat), view("rr", &rr_dims, &rr)];
        group.throughput(Throughput::Elements(batch as u64));
        group.bench_function(BenchmarkId::new("bare", batch), |bencher| {
            bencher.iter(|| {
                let mut call = Bare::default();
                bare.execute(&inputs, &mut call).unwrap();
                call.0
            });
        });
        group.bench_function(BenchmarkId::new("host", batch), |bencher| {
            bencher.iter(|| hosted.run(&inputs, &Until::default()).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
