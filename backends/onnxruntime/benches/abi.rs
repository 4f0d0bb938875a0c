//! What the way through host and contract costs over a bare session of ONNX Runtime: our model, batches of 1 to 2,048.
//!
//! The ratios printed first are of medians of alternating runs, so that whatever else the machine does meets both.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a benchmark program, which fails by panicking"
)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use einthoven_backend_onnxruntime::OnnxRuntimeEngine;
use einthoven_plugin_host::{Engines, Plugin, Runner, Until};
use einthoven_plugin_sdk::{DType, Device, Engine, ModelFile, ModelPackage, Setup, Signature, TensorView};
use ort::session::Session;
use ort::value::TensorRef;
use serde_json::json;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

const BATCHES: [usize; 5] = [1, 8, 64, 512, 2048];
/// Spent on each batch size when measuring the ratio.
const SPENT: Duration = Duration::from_secs(6);

struct Input {
    name: String,
    dims: Vec<usize>,
    values: Vec<f32>,
}

/// A batch of smooth noise for every input.
fn inputs(signature: &Signature, batch: usize) -> Vec<Input> {
    let input = |spec: &einthoven_plugin_sdk::TensorSpec| {
        let dims: Vec<usize> = spec.dims.iter().map(|dim| dim.unwrap_or(batch)).collect();
        let size = dims.iter().product::<usize>();
        Input {
            name: spec.name.clone(),
            dims,
            values: (0..size).map(|index| (index as f32 * 0.37).sin()).collect(),
        }
    };
    signature.inputs.iter().map(input).collect()
}

/// As short as a program around ONNX Runtime can be: borrowed inputs, outputs only looked at.
fn bare(session: &mut Session, inputs: &[Input]) {
    let values: Vec<_> = inputs
        .iter()
        .map(|input| {
            TensorRef::from_array_view((input.dims.as_slice(), input.values.as_slice()))
                .unwrap()
                .into()
        })
        .collect();
    let outputs = session.run(values.as_slice()).unwrap();
    for output in outputs.values() {
        black_box(output.try_extract_tensor::<f32>().unwrap());
    }
}

fn through_host(runner: &mut Runner, inputs: &[Input]) {
    let views: Vec<_> = inputs
        .iter()
        .map(|input| {
            TensorView::new(
                &input.name,
                DType::F32,
                &input.dims,
                bytemuck::cast_slice(&input.values),
            )
            .unwrap()
        })
        .collect();
    black_box(runner.run(&views, &Until::default()).unwrap());
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn compare(criterion: &mut Criterion) {
    let program = std::env::current_exe().unwrap();
    let library = program.ancestors().nth(3).unwrap().join("libraries/libonnxruntime.so");
    assert!(
        library.exists(),
        "{} is missing: run `cargo xtask setup`",
        library.display()
    );
    let config = json!({ "library": library });
    let graph = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/heartbeat/model.onnx")).unwrap();

    let mut engines = Engines::default();
    engines
        .add(Plugin::linked_engine::<OnnxRuntimeEngine>().unwrap(), &config)
        .unwrap();
    let files = [ModelFile {
        name: "model.onnx",
        bytes: &graph,
    }];
    let package = ModelPackage {
        files: &files,
        entry: "model.onnx",
        directory: None,
    };
    let model = engines.load("onnxruntime", &package, &json!({})).unwrap();
    let mut runner = model.runner(&Device::Cpu).unwrap();

    let engine = OnnxRuntimeEngine::open(&Setup {
        directory: None,
        config: &config,
    })
    .unwrap();
    let mut session = Session::builder(engine.environment())
        .unwrap()
        .with_intra_threads(1)
        .unwrap()
        .with_intra_op_spinning(false)
        .unwrap()
        .commit_from_memory(&graph)
        .unwrap();

    println!(
        "{:>6} {:>12} {:>12} {:>8} {:>8}",
        "batch", "bare us", "host us", "ratio", "runs"
    );
    for batch in BATCHES {
        let inputs = inputs(model.signature(), batch);
        let (mut alone, mut hosted) = (Vec::new(), Vec::new());
        let start = Instant::now();
        while start.elapsed() < SPENT {
            let time = |work: &mut dyn FnMut()| {
                let start = Instant::now();
                work();
                start.elapsed().as_secs_f64() * 1e6
            };
            // In turns who is first, so that neither always meets the other's caches.
            if alone.len() % 2 == 0 {
                alone.push(time(&mut || bare(&mut session, &inputs)));
                hosted.push(time(&mut || through_host(&mut runner, &inputs)));
            } else {
                hosted.push(time(&mut || through_host(&mut runner, &inputs)));
                alone.push(time(&mut || bare(&mut session, &inputs)));
            }
        }
        let (runs, alone, hosted) = (alone.len(), median(alone), median(hosted));
        println!(
            "{batch:>6} {alone:>12.1} {hosted:>12.1} {:>8.3} {runs:>8}",
            hosted / alone
        );
    }

    let mut group = criterion.benchmark_group("heartbeat on onnxruntime");
    group.sample_size(20);
    for batch in BATCHES {
        let inputs = inputs(model.signature(), batch);
        group.throughput(Throughput::Elements(batch as u64));
        group.bench_function(BenchmarkId::new("bare", batch), |bench| {
            bench.iter(|| bare(&mut session, &inputs))
        });
        group.bench_function(BenchmarkId::new("host", batch), |bench| {
            bench.iter(|| through_host(&mut runner, &inputs));
        });
    }
    group.finish();
}

criterion_group!(benches, compare);
criterion_main!(benches);
