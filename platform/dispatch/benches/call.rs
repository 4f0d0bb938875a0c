//! What a call costs beside the model: queues before an engine that computes nothing.
//!
//! `cargo bench -p einthoven-dispatch --bench call`
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark that cannot go on fails")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use einthoven_dispatch::{Call, Dispatcher, Instance, Priority, Settings, Source, Tensor};
use einthoven_plugin_host::{DType, Failure, Outputs, Signature, TensorSpec, TensorView, Until};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

/// Values of a row: one beat of the Kaggle set.
const ROW: usize = 187;

/// Computes nothing: five zeros for each row.
struct Null;

impl Source for Null {
    fn instance(&self) -> Result<Box<dyn Instance>, Failure> {
        Ok(Box::new(Self))
    }
}

impl Instance for Null {
    fn run(&mut self, inputs: &[TensorView<'_>], _until: &Until) -> Result<Outputs, Failure> {
        let mut outputs = Outputs::default();
        outputs.add("probabilities", DType::F32, &[inputs[0].dims()[0], 5])?;
        Ok(outputs)
    }

    fn provider(&self) -> &str {
        "null"
    }

    fn usable(&self) -> bool {
        true
    }
}

fn queue() -> Arc<Dispatcher> {
    let spec = |name: &str, dims: &[Option<usize>]| TensorSpec {
        name: name.to_owned(),
        dtype: DType::F32,
        dims: dims.to_vec(),
    };
    let signature = Signature {
        inputs: vec![spec("row", &[None, Some(1), Some(ROW)])],
        outputs: vec![spec("probabilities", &[None, Some(5)])],
    };
    let settings = Settings::default();
    Arc::new(Dispatcher::new("null", signature, Arc::new(Null), None, settings))
}

fn call() -> Call {
    Call {
        inputs: vec![Tensor {
            name: "row".into(),
            dtype: DType::F32,
            dims: vec![1, 1, ROW],
            data: vec![0; ROW * 4].into(),
        }],
        priority: Priority::Interactive,
        flow: "bench".into(),
        deadline: None,
        alone: true,
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap()
}

/// One caller: the time until the answer.
fn latency(criterion: &mut Criterion) {
    let (queue, runtime, call) = (queue(), runtime(), call());
    criterion.bench_function("one caller", |bencher| {
        bencher.iter(|| runtime.block_on(queue.call(call.clone())).unwrap());
    });
    criterion.bench_function("one caller that blocks", |bencher| {
        bencher.iter(|| queue.submit(call.clone()).unwrap().wait().unwrap());
    });
}

/// So many callers, each with one call at a time.
fn throughput(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("callers");
    group.throughput(Throughput::Elements(1));
    for callers in [1_u64, 8, 32, 128] {
        let (queue, runtime, call) = (queue(), runtime(), call());
        group.bench_function(BenchmarkId::from_parameter(callers), |bencher| {
            bencher.iter_custom(|calls| runtime.block_on(together(&queue, &call, callers, calls)));
        });
    }
    group.finish();
}

async fn together(queue: &Arc<Dispatcher>, call: &Call, callers: u64, calls: u64) -> Duration {
    let mut tasks = JoinSet::new();
    let start = Instant::now();
    for caller in 0..callers {
        let (queue, call) = (Arc::clone(queue), call.clone());
        let own = calls / callers + u64::from(caller < calls % callers);
        tasks.spawn(async move {
            for _ in 0..own {
                queue.call(call.clone()).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    start.elapsed()
}

criterion_group!(benches, latency, throughput);
criterion_main!(benches);
