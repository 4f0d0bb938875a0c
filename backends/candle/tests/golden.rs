//! The models of this repository give their golden outputs at every batch size.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Input, cpu, load, run, shipped};
use einthoven_plugin_sdk::{Code, Device};
use serde_json::Value;

const TOLERANCE: f32 = 1e-4;

fn floats(value: &Value) -> Vec<f32> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap() as f32)
        .collect()
}

fn sizes(value: &Value) -> Vec<usize> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_u64().unwrap() as usize)
        .collect()
}

/// The golden items over and over, up to `batch`.
fn repeated(values: &[f32], items: usize, batch: usize) -> Vec<f32> {
    let item = values.len() / items;
    values.iter().copied().cycle().take(batch * item).collect()
}

fn check(name: &str) {
    let model = load(&shipped(name, "model.safetensors"), &shipped(name, "config.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&shipped(name, "manifest.json")).unwrap();
    let signature = serde_json::to_value(model.signature()).unwrap();
    assert_eq!(signature["inputs"], manifest["inputs"]);
    assert_eq!(signature["outputs"], manifest["outputs"]);

    let golden: Value = serde_json::from_slice(&shipped(name, "golden.json")).unwrap();
    let outputs = &golden["outputs"]["probabilities"];
    let items = sizes(&outputs["dims"])[0];
    let mut instance = cpu(model.as_ref());
    assert_eq!(instance.provider(), "cpu");
    for batch in [0, 1, 3, 64, 700] {
        let inputs: Vec<_> = golden["inputs"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, tensor)| Input {
                name: name.clone(),
                dims: sizes(&tensor["dims"])[1..].to_vec(),
                values: repeated(&floats(&tensor["values"]), items, batch),
            })
            .collect();
        let sink = run(instance.as_mut(), batch, &inputs).unwrap();
        let expected = repeated(&floats(&outputs["values"]), items, batch);
        assert_eq!(sink.dims, [batch, sizes(&outputs["dims"])[1]]);
        assert_eq!(sink.values().len(), expected.len());
        for (have, want) in sink.values().iter().zip(&expected) {
            assert!(
                (have - want).abs() < TOLERANCE,
                "{name}, batch {batch}: {have} and not {want}"
            );
        }
    }
}

#[test]
fn heartbeat_gives_its_golden_outputs() {
    check("heartbeat");
}

#[test]
fn heartbeat_row_gives_its_golden_outputs() {
    check("heartbeat-row");
}

#[test]
fn a_device_that_is_not_there_is_unavailable_with_what_to_do() {
    let name = "heartbeat-row";
    let model = load(&shipped(name, "model.safetensors"), &shipped(name, "config.json")).unwrap();
    // No machine has so many devices, whatever features this was built with.
    let failure = model.instance(&Device::Cuda(4000)).err().unwrap();
    assert_eq!(failure.code, Code::Unavailable);
    assert!(failure.message.contains("cuda:4000"), "{failure}");
    assert!(failure.message.contains("choose `cpu`"), "{failure}");
}

#[test]
fn inputs_that_do_not_fit_are_refused_before_anything_runs() {
    let name = "heartbeat";
    let model = load(&shipped(name, "model.safetensors"), &shipped(name, "config.json")).unwrap();
    let mut instance = cpu(model.as_ref());
    let input = |name: &str, dims: &[usize], batch: usize| Input {
        name: name.to_owned(),
        dims: dims.to_vec(),
        values: vec![0.0; batch * dims.iter().product::<usize>()],
    };
    let missing = run(instance.as_mut(), 2, &[input("beat", &[2, 128], 2)]).err().unwrap();
    assert!(missing.message.contains("`rr` is missing"), "{missing}");
    let shaped = run(
        instance.as_mut(),
        2,
        &[input("beat", &[2, 127], 2), input("rr", &[30], 2)],
    );
    let shaped = shaped.err().unwrap();
    assert!(shaped.message.contains("[2, 2, 127]"), "{shaped}");
}
