//! The queue before a real engine: whatever shares a batch, everybody gets what a batch of one gives.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use einthoven_backend_tract::TractEngine;
use einthoven_classify::{Choice, PackageFile, ServedModel, Serving};
use einthoven_dispatch::{Call, Priority, Tensor};
use einthoven_plugin_host::{DType, Device, Engines, ModelFile, ModelPackage, Plugin, Runner, TensorView, Until};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const TASKS: usize = 64;

/// Values of a row, and probabilities of each.
const ROW: usize = 187;
const CLASSES: usize = 5;

/// Largest difference from a batch of one.
const TOLERANCE: f32 = 1e-6;

/// A version behind its queue, and the same network by itself.
fn both(manifest: &str, golden: &str, network: &[u8]) -> (Arc<ServedModel>, Runner) {
    let mut engines = Engines::default();
    let tract = Plugin::linked_engine::<TractEngine>().unwrap();
    engines.add(tract, &serde_json::json!({})).unwrap();
    let file = ModelFile {
        name: "model.onnx",
        bytes: network,
    };
    let package = ModelPackage {
        files: &[file],
        entry: "model.onnx",
        directory: None,
    };
    let alone = engines.load("tract", &package, &serde_json::json!({})).unwrap();
    let serving = Serving {
        engines,
        workers: Arc::default(),
    };
    let files = [
        ("manifest.json", manifest.as_bytes()),
        ("golden.json", golden.as_bytes()),
        ("model.onnx", network),
    ]
    .map(|(name, bytes)| PackageFile { name, bytes });
    let choice = Choice {
        engine: "tract".to_owned(),
        file: "model.onnx".to_owned(),
        tolerance: 1e-4,
    };
    let served = ServedModel::load(&serving, &files, choice, None).unwrap();
    (Arc::new(served), alone.runner(&Device::Cpu).unwrap())
}

/// Numbers that repeat from run to run.
struct Random(u64);

impl Random {
    fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below as u64) as usize
    }
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let values = bytes.as_chunks::<4>().0.iter();
    values.map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

/// One call and what it gave.
struct Asked {
    rows: Vec<Vec<f32>>,
    answer: Vec<f32>,
    batch_rows: usize,
}

/// Rows of a call, mostly few; each begins with the call's number and its own.
fn rows(id: usize, random: &mut Random) -> Vec<Vec<f32>> {
    let rows = match random.below(50) {
        0 => 1 + random.below(150),
        _ => 1 + random.below(4),
    };
    let row = |row: usize| {
        let mut values = vec![id as f32 / 16384.0, row as f32 / 256.0];
        values.resize_with(ROW, || random.below(1000) as f32 / 1000.0);
        values
    };
    (0..rows).map(row).collect()
}

fn furthest(one: &[f32], other: &[f32]) -> f32 {
    assert_eq!(one.len(), other.len());
    let each = one.iter().zip(other).map(|(one, other)| (one - other).abs());
    each.fold(0.0, f32::max)
}

/// Every task asks so often, one call after the other.
fn ask(served: &Arc<ServedModel>, each: usize) -> Vec<Asked> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for task in 0..TASKS {
            let served = Arc::clone(served);
            tasks.spawn(async move {
                let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (task as u64 + 1));
                let mut asked = Vec::with_capacity(each);
                for number in 0..each {
                    let rows = rows(task * each + number, &mut random);
                    let call = Call {
                        inputs: vec![Tensor {
                            name: "row".into(),
                            dtype: DType::F32,
                            dims: vec![rows.len(), 1, ROW],
                            data: bytes(&rows.concat()).into(),
                        }],
                        priority: [Priority::Interactive, Priority::Batch][usize::from(rows.len() > 32)],
                        flow: format!("flow {}", task % 5).into(),
                        deadline: None,
                        alone: true,
                    };
                    let done = served.infer(call).await.unwrap();
                    assert_eq!(done.outputs[0].dims[0], rows.len());
                    asked.push(Asked {
                        rows,
                        answer: floats(&done.outputs[0].data),
                        batch_rows: done.batch_rows,
                    });
                }
                asked
            });
        }
        tasks.join_all().await.into_iter().flatten().collect()
    })
}

#[test]
fn ten_thousand_calls_of_mixed_length_get_what_a_batch_of_one_gives() {
    let model = einthoven_models::by_name("heartbeat-row").unwrap();
    let (served, mut alone) = both(model.manifest_json, model.golden_json, model.onnx);
    let asked = ask(&served, 10_000_usize.div_ceil(TASKS));
    assert!(asked.len() >= 10_000);
    for call in &asked {
        for (row, answer) in call.rows.iter().zip(call.answer.chunks(CLASSES)) {
            let data = bytes(row);
            let view = TensorView::new("row", DType::F32, &[1, 1, ROW], &data).unwrap();
            let outputs = alone.run(&[view], &Until::default()).unwrap();
            let expected = floats(outputs.get("probabilities").unwrap().bytes());
            let difference = furthest(&expected, answer);
            assert!(difference <= TOLERANCE, "{answer:?} instead of {expected:?}");
        }
    }
    // Somebody else's answer would be told from the own one.
    let told = asked.windows(2).filter(|pair| {
        let [one, next] = pair else { return false };
        furthest(&one.answer[..CLASSES], &next.answer[..CLASSES]) > TOLERANCE
    });
    assert!(told.count() > asked.len() * 99 / 100);
    // Long calls are cut, and short ones share.
    let largest = asked.iter().map(|call| call.batch_rows).max().unwrap();
    assert!((2..=64).contains(&largest), "{largest}");
    // An answer is there a moment before its call is counted out.
    let end = Instant::now() + Duration::from_secs(60);
    while served.statistics().pending_calls > 0 && Instant::now() < end {
        std::thread::yield_now();
    }
    let statistics = served.statistics();
    assert_eq!((statistics.pending_calls, statistics.pending_bytes), (0, 0));
    // One more than were asked for: the golden outputs.
    assert_eq!(statistics.succeeded, asked.len() as u64 + 1);
    let executions = statistics.executions;
    assert!(
        executions < statistics.succeeded,
        "nothing shared a batch: {statistics:?}"
    );
}
