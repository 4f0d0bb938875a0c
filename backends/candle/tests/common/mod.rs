//! A host for tests: one package in memory, one batch, one output.
#![allow(dead_code, reason = "each test file uses what it needs")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use einthoven_backend_candle::CandleEngine;
use einthoven_plugin_sdk::{
    Call, Code, DType, Device, Engine, Failure, Instance, Model, ModelFile, ModelPackage, Setup, TensorView,
};
use std::path::{Path, PathBuf};
use std::time::Instant as Time;

/// Takes one output and never cancels.
#[derive(Default)]
pub(crate) struct Sink {
    pub(crate) dims: Vec<usize>,
    bytes: Vec<u64>,
    length: usize,
    pub(crate) cancelled: bool,
}

impl Sink {
    pub(crate) fn values(&self) -> &[f32] {
        &bytemuck::cast_slice(&self.bytes)[..self.length / 4]
    }
}

impl Call for Sink {
    fn output(&mut self, _name: &str, dtype: DType, dims: &[usize]) -> Result<&mut [u8], Failure> {
        self.dims = dims.to_vec();
        self.length = dims.iter().product::<usize>() * dtype.size();
        self.bytes = vec![0; self.length.div_ceil(8)];
        Ok(&mut bytemuck::cast_slice_mut(&mut self.bytes)[..self.length])
    }

    fn fail_item(&mut self, item: usize, failure: Failure) {
        panic!("item {item}: {failure}");
    }

    fn cancelled(&self) -> bool {
        self.cancelled
    }

    fn deadline(&self) -> Option<Time> {
        None
    }
}

pub(crate) fn load(weights: &[u8], config: &[u8]) -> Result<Box<dyn Model>, Failure> {
    let setup = Setup {
        directory: None,
        config: &serde_json::Value::Null,
    };
    let files = [
        ModelFile {
            name: "model.safetensors",
            bytes: weights,
        },
        ModelFile {
            name: "config.json",
            bytes: config,
        },
    ];
    let package = ModelPackage {
        files: &files,
        entry: "model.safetensors",
        directory: None,
    };
    CandleEngine::open(&setup)?.load(&package, &serde_json::json!({}))
}

/// Why a package is refused; panics when it is not.
pub(crate) fn refusal(weights: &[u8], config: &[u8]) -> Failure {
    match load(weights, config) {
        Ok(_) => panic!("the package was accepted"),
        Err(failure) => {
            assert!(
                matches!(failure.code, Code::InvalidArgument | Code::Unsupported),
                "{failure:?}"
            );
            failure
        }
    }
}

/// Name, shape of one item, values.
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) dims: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

pub(crate) fn run(instance: &mut dyn Instance, batch: usize, inputs: &[Input]) -> Result<Sink, Failure> {
    let dims: Vec<Vec<usize>> = inputs
        .iter()
        .map(|input| [&[batch], &input.dims[..]].concat())
        .collect();
    let views: Vec<_> = inputs
        .iter()
        .zip(&dims)
        .map(|(input, dims)| TensorView::new(&input.name, DType::F32, dims, bytemuck::cast_slice(&input.values)))
        .collect::<Result<_, _>>()?;
    let mut sink = Sink::default();
    instance.execute(&views, &mut sink)?;
    Ok(sink)
}

pub(crate) fn cpu(model: &dyn Model) -> Box<dyn Instance> {
    model.instance(&Device::Cpu).unwrap()
}

pub(crate) fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models")
}

pub(crate) fn shipped(name: &str, file: &str) -> Vec<u8> {
    std::fs::read(models().join(name).join(file)).unwrap()
}
