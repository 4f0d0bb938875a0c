//! Every engine as a Rust value, and the same engine through the host and its C table: the embedded model, batches of 1
//! to 2,048. Medians of alternating runs, so that whatever else the machine does meets both.
//!
//!     cargo xtask setup && cargo bench -p einthoven-backend-parity
#![allow(clippy::unwrap_used, missing_docs, reason = "a measurement fails by panicking")]

use einthoven_backend_candle::CandleEngine;
use einthoven_backend_litert::LiteRtEngine;
use einthoven_backend_onnxruntime::OnnxRuntimeEngine;
use einthoven_backend_parity::{libraries, open};
use einthoven_backend_tract::TractEngine;
use einthoven_plugin_host::Until;
use einthoven_plugin_sdk::{
    Call, DType, Device, Engine, Failure, Instance, ModelFile, ModelPackage, Setup, TensorView,
};
use serde_json::json;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

const BATCHES: [usize; 5] = [1, 8, 64, 512, 2048];

/// Spent on each batch size.
const SPENT: Duration = Duration::from_secs(3);

/// A buffer of the caller's, made anew for each batch as the host does.
#[derive(Default)]
struct Bare(Vec<u64>);

impl Call for Bare {
    fn output(&mut self, _: &str, dtype: DType, dims: &[usize]) -> Result<&mut [u8], Failure> {
        let length = dims.iter().product::<usize>() * dtype.size();
        self.0 = vec![0; length.div_ceil(8)];
        Ok(&mut bytemuck::cast_slice_mut(&mut self.0)[..length])
    }

    fn fail_item(&mut self, _: usize, _: Failure) {}

    fn cancelled(&self) -> bool {
        false
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }
}

fn main() {
    println!(
        "{:>12} {:>6} {:>12} {:>12} {:>8} {:>8}",
        "engine", "batch", "bare us", "host us", "ratio", "runs"
    );
    compare::<OnnxRuntimeEngine>("model.onnx");
    compare::<LiteRtEngine>("model.tflite");
    compare::<CandleEngine>("model.safetensors");
    compare::<TractEngine>("model.onnx");
}

fn compare<E: Engine>(entry: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/heartbeat");
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let (network, config) = (read(entry), read("config.json"));
    let files = [(entry, &network), ("config.json", &config)].map(|(name, bytes)| ModelFile { name, bytes });
    let package = ModelPackage {
        files: &files,
        entry,
        directory: None,
    };
    let engine = E::open(&Setup {
        directory: None,
        config: &libraries(E::INFO.name),
    })
    .unwrap();
    let bare_model = engine.load(&package, &json!({})).unwrap();
    let mut bare = bare_model.instance(&Device::Cpu).unwrap();
    let engines = open(E::INFO.name).unwrap();
    let hosted_model = engines.load(E::INFO.name, &package, &json!({})).unwrap();
    let mut hosted = hosted_model.runner(&Device::Cpu).unwrap();
    for batch in BATCHES {
        let wave = |count: usize| (0..count).map(|k| (k as f32 * 0.37).sin()).collect::<Vec<f32>>();
        let (beat, rr) = (wave(batch * 2 * 128), wave(batch * 30));
        let (beat_dims, rr_dims) = ([batch, 2, 128], [batch, 30]);
        let view = |name, dims, values| TensorView::new(name, DType::F32, dims, bytemuck::cast_slice(values)).unwrap();
        let inputs = [view("beat", &beat_dims, &beat), view("rr", &rr_dims, &rr)];
        let mut alone = || run(bare.as_mut(), &inputs);
        let mut through = || {
            black_box(hosted.run(&inputs, &Until::default()).unwrap());
        };
        let (mut without, mut with) = (Vec::new(), Vec::new());
        let begin = Instant::now();
        while begin.elapsed() < SPENT {
            // In turns who is first, so that neither always meets the other's caches.
            if without.len() % 2 == 0 {
                without.push(time(&mut alone));
                with.push(time(&mut through));
            } else {
                with.push(time(&mut through));
                without.push(time(&mut alone));
            }
        }
        let (runs, without, with) = (with.len(), median(without), median(with));
        let name = E::INFO.name;
        println!(
            "{name:>12} {batch:>6} {without:>12.1} {with:>12.1} {:>8.3} {runs:>8}",
            with / without
        );
    }
}

fn run(instance: &mut dyn Instance, inputs: &[TensorView<'_>]) {
    let mut call = Bare::default();
    instance.execute(inputs, &mut call).unwrap();
    black_box(call.0);
}

/// In microseconds.
fn time(work: &mut dyn FnMut()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e6
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
