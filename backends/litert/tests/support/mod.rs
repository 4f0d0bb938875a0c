//! What the tests share: the engine, models, and a host's side of a call.
#![allow(dead_code, reason = "each test uses its part")]

use einthoven_backend_litert::LiteRtEngine;
use einthoven_plugin_sdk::{
    Call, DType, Device, Engine, Failure, Instance, Model, ModelFile, ModelPackage, Setup, TensorView,
};
use serde_json::Value;
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Instant;

/// Where LiteRT is.
pub(crate) fn library() -> PathBuf {
    if let Some(path) = std::env::var_os("EINTHOVEN_LITERT") {
        return PathBuf::from(path);
    }
    // A test lies in `<target>/<profile>/deps/`.
    let binary = std::env::current_exe().unwrap();
    let path = binary.ancestors().nth(3).unwrap().join("libraries/libLiteRt.so");
    assert!(path.exists(), "{} is missing: run `cargo xtask setup`", path.display());
    path
}

pub(crate) fn open(config: &Value) -> Result<LiteRtEngine, Failure> {
    LiteRtEngine::open(&Setup {
        directory: None,
        config,
    })
}

pub(crate) fn engine() -> LiteRtEngine {
    open(&serde_json::json!({ "library": library() })).unwrap()
}

pub(crate) fn load(engine: &LiteRtEngine, bytes: &[u8], config: &Value) -> Result<Box<dyn Model>, Failure> {
    let files = [ModelFile {
        name: "model.tflite",
        bytes,
    }];
    let package = ModelPackage {
        files: &files,
        entry: "model.tflite",
        directory: None,
    };
    engine.load(&package, config)
}

/// A file of one of our models.
pub(crate) fn ours(model: &str, file: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../models")
        .join(model)
        .join(file);
    std::fs::read(path).unwrap()
}

/// One of the graphs that `graphs/make.py` writes.
pub(crate) fn small(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/graphs/{name}.tflite"));
    std::fs::read(path).unwrap()
}

/// A file of the shared test data, if it is there.
pub(crate) fn shared(name: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        eprintln!("SKIPPED: {} is not there", path.display());
    }
    bytes
}

/// A dense tensor of 32-bit floats.
#[derive(Debug, Clone)]
pub(crate) struct Floats {
    pub(crate) name: String,
    pub(crate) dims: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

impl Floats {
    /// Rows of this one, from `first` on and round again, `count` of them.
    pub(crate) fn rows(&self, first: usize, count: usize) -> Self {
        let row = self.values.len() / self.dims[0];
        let mut dims = self.dims.clone();
        dims[0] = count;
        Self {
            name: self.name.clone(),
            dims,
            values: (0..count)
                .flat_map(|index| {
                    let start = (first + index) % self.dims[0] * row;
                    self.values[start..start + row].iter().copied()
                })
                .collect(),
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }
}

/// The stored inputs or outputs of one of our models.
pub(crate) fn golden(model: &str, part: &str) -> Vec<Floats> {
    let golden: Value = serde_json::from_slice(&ours(model, "golden.json")).unwrap();
    golden[part]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, tensor)| Floats {
            name: name.clone(),
            dims: serde_json::from_value(tensor["dims"].clone()).unwrap(),
            values: serde_json::from_value(tensor["values"].clone()).unwrap(),
        })
        .collect()
}

/// Collects outputs.
#[derive(Default)]
pub(crate) struct Outputs {
    pub(crate) tensors: HashMap<String, (DType, Vec<usize>, Vec<u8>)>,
    pub(crate) cancelled: bool,
}

impl Outputs {
    pub(crate) fn floats(&self, name: &str) -> Vec<f32> {
        let (dtype, _, bytes) = &self.tensors[name];
        assert_eq!(*dtype, DType::F32);
        bytes
            .as_chunks()
            .0
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect()
    }
}

impl Call for Outputs {
    fn output(&mut self, name: &str, dtype: DType, dims: &[usize]) -> Result<&mut [u8], Failure> {
        let bytes = vec![0; dims.iter().product::<usize>() * dtype.size()];
        self.tensors.insert(name.to_owned(), (dtype, dims.to_vec(), bytes));
        Ok(&mut self.tensors.get_mut(name).unwrap().2)
    }

    fn fail_item(&mut self, _item: usize, _failure: Failure) {}

    fn cancelled(&self) -> bool {
        self.cancelled
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }
}

pub(crate) fn run(instance: &mut dyn Instance, inputs: &[Floats]) -> Result<Outputs, Failure> {
    let bytes: Vec<_> = inputs.iter().map(Floats::bytes).collect();
    let views: Vec<_> = inputs
        .iter()
        .zip(&bytes)
        .map(|(input, bytes)| TensorView::new(&input.name, DType::F32, &input.dims, bytes).unwrap())
        .collect();
    let mut outputs = Outputs::default();
    instance.execute(&views, &mut outputs)?;
    Ok(outputs)
}

pub(crate) fn instance(model: &dyn Model) -> Box<dyn Instance> {
    model.instance(&Device::Cpu).unwrap()
}

pub(crate) fn farthest(left: &[f32], right: &[f32]) -> f32 {
    assert_eq!(left.len(), right.len());
    left.iter()
        .zip(right)
        .map(|(left, right)| (left - right).abs())
        .fold(0.0, f32::max)
}
