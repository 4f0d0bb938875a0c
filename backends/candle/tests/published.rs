//! Networks from papers: full size, with weights made by a formula, against what PyTorch computed from the same weights.
//!
//! `reference/write.py` makes the files that are read here.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Input, cpu, load, refusal, run};
use einthoven_plugin_sdk::Code;
use half::f16;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::Value;
use std::path::Path;

/// Of the largest output.
const TOLERANCE: f32 = 1e-4;

/// Numbers in [-1, 1) from a name: FNV-1a as the seed, then splitmix64, 24 bits of each.
fn uniform(name: &str, count: usize) -> Vec<f64> {
    let seed = name.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |seed, byte| {
        (seed ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3)
    });
    let number = |index: u64| {
        let mut z = seed.wrapping_add(index.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 40) as f64 / f64::from(1 << 23) - 1.0
    };
    (1..=count as u64).map(number).collect()
}

/// A tensor of the state dict.
fn value(name: &str, shape: &[usize]) -> Vec<f32> {
    let inputs: usize = shape[1..].iter().product();
    let scaled = |u: f64| {
        if name.ends_with("running_var") {
            1.0 + 0.5 * u
        } else if name.ends_with("running_mean") || name.ends_with(".bias") {
            0.1 * u
        } else if shape.len() == 1 {
            0.6 + 0.2 * u
        } else {
            u * (6.0 / inputs as f64).sqrt()
        }
    };
    let count = shape.iter().product();
    uniform(name, count).into_iter().map(|u| scaled(u) as f32).collect()
}

struct Case {
    config: Value,
    outputs: Vec<f32>,
    state: Vec<(String, Vec<usize>)>,
}

impl Case {
    fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("reference/expected")
            .join(name)
            .with_extension("json");
        let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let state = file["state"].as_array().unwrap().iter().map(|row| {
            let dims = row.as_array().unwrap()[1..].iter();
            let dims = dims.map(|dim| dim.as_u64().unwrap() as usize).collect();
            (row[0].as_str().unwrap().to_owned(), dims)
        });
        Self {
            config: file["config"].clone(),
            outputs: file["outputs"]
                .as_array()
                .unwrap()
                .iter()
                .map(|v| v.as_f64().unwrap() as f32)
                .collect(),
            state: state.collect(),
        }
    }

    fn config(&self) -> Vec<u8> {
        serde_json::to_vec(&self.config).unwrap()
    }

    fn tensors(&self) -> Vec<Stored> {
        self.state
            .iter()
            .map(|(name, shape)| Stored {
                name: name.clone(),
                dtype: Dtype::F32,
                shape: shape.clone(),
                bytes: bytemuck::cast_slice(&value(name, shape)).to_vec(),
            })
            .collect()
    }

    /// `batch` items, the two of the reference in turn.
    fn input(&self, batch: usize) -> Input {
        let size = |key: &str| self.config["input"][key].as_u64().unwrap() as usize;
        let dims = vec![size("channels"), size("length")];
        let item: usize = dims.iter().product();
        let values = uniform("input", 2 * item).into_iter().map(|u| u as f32);
        Input {
            name: "ecg".to_owned(),
            values: values.cycle().take(batch * item).collect(),
            dims,
        }
    }

    fn check(&self, stored: &[Stored], batch: usize, tolerance: f32) {
        let model = load(&file(stored), &self.config()).unwrap();
        let sink = run(cpu(model.as_ref()).as_mut(), batch, &[self.input(batch)]).unwrap();
        let classes = self.outputs.len() / 2;
        assert_eq!(sink.dims, [batch, classes]);
        let scale = self.outputs.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
        let wanted = self.outputs.iter().cycle();
        let worst = sink
            .values()
            .iter()
            .zip(wanted)
            .map(|(have, want)| (have - want).abs())
            .fold(0.0, f32::max);
        eprintln!("largest difference {worst:e} of {scale}");
        assert!(worst < tolerance * scale, "{worst} of {scale}");
        assert!(sink.values().iter().all(|v| v.is_finite()));
    }
}

struct Stored {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

fn file(stored: &[Stored]) -> Vec<u8> {
    let views = stored.iter().map(|tensor| {
        (
            &tensor.name,
            TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.bytes).unwrap(),
        )
    });
    safetensors::serialize(views, None).unwrap()
}

#[test]
fn ribeiro2020_resnet1d_is_pytorchs() {
    let case = Case::read("ribeiro2020-resnet1d");
    case.check(&case.tensors(), 3, TOLERANCE);
}

#[test]
fn xresnet1d101_is_pytorchs() {
    let case = Case::read("xresnet1d101");
    case.check(&case.tensors(), 2, TOLERANCE);
    case.check(&case.tensors(), 41, TOLERANCE);
}

#[test]
fn inception1d_is_pytorchs() {
    let case = Case::read("inception1d");
    case.check(&case.tensors(), 3, TOLERANCE);
}

#[test]
fn other_sizes_are_pytorchs_too() {
    for name in ["ribeiro-small", "inception-small"] {
        let case = Case::read(name);
        for batch in [0, 1, 2, 300] {
            case.check(&case.tensors(), batch, TOLERANCE);
        }
    }
}

#[test]
fn half_precision_weights_and_counters_are_read() {
    let case = Case::read("inception-small");
    let mut stored = case.tensors();
    for tensor in &mut stored {
        let values: Vec<f32> = tensor
            .bytes
            .as_chunks()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b))
            .collect();
        tensor.bytes = values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect();
        tensor.dtype = Dtype::F16;
    }
    stored.push(Stored {
        name: "layers.0.im.0.bn_relu.0.num_batches_tracked".to_owned(),
        dtype: Dtype::I64,
        shape: Vec::new(),
        bytes: vec![7, 0, 0, 0, 0, 0, 0, 0],
    });
    case.check(&stored, 2, 1e-2);
}

#[test]
fn an_xresnet_may_have_its_convolutions_under_either_name_or_both() {
    let case = Case::read("xresnet1d101");
    let renamed = || {
        let mut stored = case.tensors();
        for tensor in &mut stored {
            tensor.name = tensor.name.replace(".convs.", ".convpath.0.");
        }
        stored
    };
    case.check(&renamed(), 2, TOLERANCE);
    let mut both = case.tensors();
    both.extend(
        renamed()
            .into_iter()
            .filter(|tensor| tensor.name.contains(".convpath.")),
    );
    case.check(&both, 2, TOLERANCE);
    let last = both.last_mut().unwrap();
    last.bytes[0] ^= 1;
    let name = last.name.clone();
    let failure = refusal(&file(&both), &case.config());
    assert!(
        failure.message.contains(&name) && failure.message.contains("differ"),
        "{failure}"
    );
}

#[test]
fn a_network_too_large_for_any_memory_is_refused() {
    let mut case = Case::read("inception-small");
    case.config["input"]["length"] = serde_json::json!(1_048_576);
    case.config["kernel_size"] = serde_json::json!(1024);
    for (name, shape) in &mut case.state {
        for (place, kernel) in [("convs.0.", 1023), ("convs.1.", 511), ("convs.2.", 255)] {
            if name.contains(place) {
                shape[2] = kernel;
            }
        }
    }
    let failure = load(&file(&case.tensors()), &case.config()).err().unwrap();
    assert_eq!(failure.code, Code::ResourceExhausted);
}

#[test]
fn every_single_tensor_is_missed_by_name_and_shape() {
    for name in ["ribeiro-small", "inception-small"] {
        let case = Case::read(name);
        for index in 0..case.state.len() {
            let mut stored = case.tensors();
            let gone = stored.remove(index);
            let failure = refusal(&file(&stored), &case.config());
            let (name, shape) = (format!("`{}`", gone.name), format!("{:?}", gone.shape));
            assert!(
                failure.message.contains(&name) && failure.message.contains(&shape),
                "{failure}"
            );
            let transposed: Vec<usize> = gone.shape.iter().chain(&[1]).copied().collect();
            stored.push(Stored {
                shape: transposed.clone(),
                ..gone
            });
            let failure = refusal(&file(&stored), &case.config());
            for part in [name, shape, format!("{transposed:?}")] {
                assert!(failure.message.contains(&part), "{failure} lacks {part}");
            }
        }
    }
}
