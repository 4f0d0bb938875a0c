//! The engine under test, a host's side of a batch, and graphs built by hand.
#![allow(
    dead_code,
    clippy::panic,
    reason = "each test takes what it needs, and fails by panicking"
)]

use einthoven_backend_onnxruntime::OnnxRuntimeEngine;
use einthoven_plugin_sdk::{
    Call, DType, Device, Engine, Failure, Instance, Model, ModelFile, ModelPackage, Setup, TensorView,
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The library that `cargo xtask setup` brings.
pub(crate) fn library() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let path = program.ancestors().nth(3).unwrap().join("libraries/libonnxruntime.so");
    assert!(path.exists(), "{} is missing: run `cargo xtask setup`", path.display());
    path
}

pub(crate) fn engine() -> OnnxRuntimeEngine {
    open(&json!({ "library": library() })).unwrap()
}

pub(crate) fn open(config: &Value) -> Result<OnnxRuntimeEngine, Failure> {
    OnnxRuntimeEngine::open(&Setup {
        directory: None,
        config,
    })
}

pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// A model of one file.
pub(crate) fn load(graph: &[u8], config: &Value) -> Result<Box<dyn Model>, Failure> {
    load_files(
        &[ModelFile {
            name: "model.onnx",
            bytes: graph,
        }],
        config,
    )
}

/// A model that starts from the first of these files.
pub(crate) fn load_files(files: &[ModelFile<'_>], config: &Value) -> Result<Box<dyn Model>, Failure> {
    let package = ModelPackage {
        files,
        entry: files[0].name,
        directory: None,
    };
    engine().load(&package, config)
}

pub(crate) fn instance(graph: &[u8]) -> Box<dyn Instance> {
    load(graph, &json!({})).unwrap().instance(&Device::Cpu).unwrap()
}

/// The host's side of a batch: it keeps the outputs.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) outputs: Vec<(String, DType, Vec<usize>, Vec<u8>)>,
    pub(crate) cancelled: bool,
    pub(crate) deadline: Option<Instant>,
}

impl Call for Batch {
    fn output(&mut self, name: &str, dtype: DType, dims: &[usize]) -> Result<&mut [u8], Failure> {
        let size = dims.iter().product::<usize>() * dtype.size();
        self.outputs
            .push((name.to_owned(), dtype, dims.to_vec(), vec![0; size]));
        Ok(&mut self.outputs.last_mut().unwrap().3)
    }

    fn fail_item(&mut self, item: usize, failure: Failure) {
        panic!("item {item} failed: {failure}");
    }

    fn cancelled(&self) -> bool {
        self.cancelled
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

impl Batch {
    pub(crate) fn f32(&self, name: &str) -> Vec<f32> {
        let (_, dtype, _, bytes) = self.outputs.iter().find(|output| output.0 == name).unwrap();
        assert_eq!(*dtype, DType::F32);
        floats(bytes)
    }
}

pub(crate) fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes
        .chunks_exact(4)
        .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
        .collect()
}

/// Bytes that are aligned as a host's are.
pub(crate) struct Buffer {
    words: Vec<u64>,
    size: usize,
}

impl Buffer {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let words = bytes.chunks(8).map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_ne_bytes(word)
        });
        Self {
            words: words.collect(),
            size: bytes.len(),
        }
    }

    pub(crate) fn f32(values: &[f32]) -> Self {
        Self::new(&values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>())
    }

    pub(crate) fn view<'a>(&'a self, name: &'a str, dtype: DType, dims: &'a [usize]) -> TensorView<'a> {
        TensorView::new(name, dtype, dims, &bytemuck::cast_slice(&self.words)[..self.size]).unwrap()
    }
}

/// Numbers of ONNX's element types.
pub(crate) const F32: u64 = 1;
pub(crate) const U8: u64 = 2;
pub(crate) const I8: u64 = 3;
pub(crate) const I64: u64 = 7;
pub(crate) const BOOL: u64 = 9;
pub(crate) const F16: u64 = 10;

/// A protobuf field that holds bytes, a text or a message.
pub(crate) fn field(tag: u64, content: impl AsRef<[u8]>) -> Vec<u8> {
    let content = content.as_ref();
    let mut bytes = varint(tag << 3 | 2);
    bytes.extend(varint(content.len() as u64));
    bytes.extend(content);
    bytes
}

/// A protobuf field that holds a number.
pub(crate) fn number(tag: u64, value: u64) -> Vec<u8> {
    [varint(tag << 3), varint(value)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A model of these nodes, inputs, outputs and initializers; with a domain of somebody else's too.
pub(crate) fn model(nodes: &[Vec<u8>], inputs: &[Vec<u8>], outputs: &[Vec<u8>], initializers: &[Vec<u8>]) -> Vec<u8> {
    model_of(17, nodes, inputs, outputs, initializers)
}

/// The same, in that version of ONNX's operators.
pub(crate) fn model_of(
    version: u64,
    nodes: &[Vec<u8>],
    inputs: &[Vec<u8>],
    outputs: &[Vec<u8>],
    initializers: &[Vec<u8>],
) -> Vec<u8> {
    let all = |tag, parts: &[Vec<u8>]| parts.iter().flat_map(|part| field(tag, part)).collect::<Vec<u8>>();
    let graph = [
        all(1, nodes),
        field(2, "g"),
        all(5, initializers),
        all(11, inputs),
        all(12, outputs),
    ]
    .concat();
    let own = [field(1, ""), number(2, version)].concat();
    let other = [field(1, "org.example"), number(2, 1)].concat();
    [number(1, 8), field(7, graph), field(8, own), field(8, other)].concat()
}

pub(crate) fn node(name: &str, operator: &str, inputs: &[&str], outputs: &[&str], rest: &[Vec<u8>]) -> Vec<u8> {
    let inputs: Vec<u8> = inputs.iter().flat_map(|input| field(1, input)).collect();
    let outputs: Vec<u8> = outputs.iter().flat_map(|output| field(2, output)).collect();
    [inputs, outputs, field(3, name), field(4, operator), rest.concat()].concat()
}

/// An input or output; a dimension below zero is the batch.
pub(crate) fn value(name: &str, dtype: u64, dims: &[i64]) -> Vec<u8> {
    let dims: Vec<u8> = dims
        .iter()
        .flat_map(|&dim| field(1, if dim < 0 { field(2, "n") } else { number(1, dim as u64) }))
        .collect();
    let tensor = [number(1, dtype), field(2, dims)].concat();
    [field(1, name), field(2, field(1, tensor))].concat()
}

/// A tensor with its elements inside.
pub(crate) fn tensor(name: &str, dtype: u64, dims: &[u64], raw: &[u8]) -> Vec<u8> {
    let dims: Vec<u8> = dims.iter().flat_map(|&dim| number(1, dim)).collect();
    [dims, number(2, dtype), field(8, name), field(9, raw)].concat()
}

/// A tensor of `f32` whose elements lie elsewhere.
pub(crate) fn external(name: &str, dims: &[u64], entries: &[(&str, &str)]) -> Vec<u8> {
    let dims: Vec<u8> = dims.iter().flat_map(|&dim| number(1, dim)).collect();
    let entries: Vec<u8> = entries
        .iter()
        .flat_map(|(key, value)| field(13, [field(1, key), field(2, value)].concat()))
        .collect();
    [dims, number(2, F32), field(8, name), entries, number(14, 1)].concat()
}
