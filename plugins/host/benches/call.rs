//! What the way through the C table adds to a call: an engine that copies one row, called as a Rust value and through
//! the host. Medians of alternating runs, so that whatever else the machine does meets both.
//!
//!     cargo bench -p einthoven-plugin-host
#![allow(clippy::unwrap_used, missing_docs, reason = "a measurement fails by panicking")]

use einthoven_plugin_host::{Engines, Plugin, Until};
use einthoven_plugin_sdk::{
    Call, DType, Device, Engine, EngineInfo, Failure, Instance, Model, ModelFile, ModelPackage, Setup, Signature,
    TensorSpec, TensorView,
};
use serde_json::{Value, json};
use std::hint::black_box;
use std::time::Instant as Time;

struct Copies;

impl Engine for Copies {
    const INFO: EngineInfo = EngineInfo {
        name: "copies",
        version: "1.0.0",
        formats: &["copy"],
        dtypes: &[DType::F32],
        devices: &["cpu"],
        config_schema: r#"{"type": "object"}"#,
    };

    fn open(_: &Setup<'_>) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn runtime(&self) -> String {
        "1.0.0".to_owned()
    }

    fn load(&self, _: &ModelPackage<'_>, _: &Value) -> Result<Box<dyn Model>, Failure> {
        let spec = |name: &str| TensorSpec {
            name: name.to_owned(),
            dtype: DType::F32,
            dims: vec![None, Some(16)],
        };
        Ok(Box::new(Copy {
            signature: Signature {
                inputs: vec![spec("x")],
                outputs: vec![spec("y")],
            },
        }))
    }
}

#[derive(Clone)]
struct Copy {
    signature: Signature,
}

impl Model for Copy {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn instance(&self, _: &Device) -> Result<Box<dyn Instance>, Failure> {
        Ok(Box::new(self.clone()))
    }
}

impl Instance for Copy {
    fn execute(&mut self, inputs: &[TensorView<'_>], call: &mut dyn Call) -> Result<(), Failure> {
        let x = self.signature.inputs[0].pick(inputs)?;
        call.output("y", DType::F32, x.dims())?.copy_from_slice(x.bytes());
        Ok(())
    }
}

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

    fn deadline(&self) -> Option<Time> {
        None
    }
}

/// Calls of one measurement: one alone is shorter than a look at the clock.
const CALLS: u32 = 200;
const MEASUREMENTS: usize = 5000;

fn main() {
    let files = [ModelFile {
        name: "model.copy",
        bytes: b"",
    }];
    let package = ModelPackage {
        files: &files,
        entry: "model.copy",
        directory: None,
    };
    let mut engines = Engines::default();
    engines
        .add(Plugin::linked_engine::<Copies>().unwrap(), &json!({}))
        .unwrap();
    let model = engines.load("copies", &package, &json!({})).unwrap();
    let mut runner = model.runner(&Device::Cpu).unwrap();
    let mut instance = Copies
        .load(&package, &json!({}))
        .unwrap()
        .instance(&Device::Cpu)
        .unwrap();
    let values = [0.5_f32; 16];
    let inputs = [TensorView::new("x", DType::F32, &[1, 16], bytemuck::cast_slice(&values)).unwrap()];
    let (mut bare, mut host) = (Vec::new(), Vec::new());
    for _ in 0..MEASUREMENTS {
        bare.push(each(|| {
            let mut call = Bare::default();
            instance.execute(&inputs, &mut call).unwrap();
            black_box(call.0);
        }));
        host.push(each(|| {
            black_box(runner.run(&inputs, &Until::default()).unwrap());
        }));
    }
    let (bare, host) = (median(bare), median(host));
    println!(
        "one call: bare {bare:.0} ns, through the host {host:.0} ns, added {:.0} ns",
        host - bare
    );
}

fn each(mut work: impl FnMut()) -> f64 {
    let start = Time::now();
    for _ in 0..CALLS {
        work();
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
