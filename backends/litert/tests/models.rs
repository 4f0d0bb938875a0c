//! Answers of real models through the engine.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use einthoven_plugin_sdk::{Code, DType, Device, Engine, TensorView};
use serde_json::json;
use std::str::FromStr;
use support::{Floats, Outputs, engine, farthest, golden, instance, load, ours, run, shared};

const BOTH: [&str; 2] = ["heartbeat", "heartbeat-row"];

#[test]
fn our_models_give_their_golden_outputs_at_every_batch_also_after_a_larger_one() {
    let engine = engine();
    for name in BOTH {
        let model = load(&engine, &ours(name, "model.tflite"), &json!({})).unwrap();
        let mut instance = instance(&*model);
        let (inputs, outputs) = (golden(name, "inputs"), golden(name, "outputs"));
        for (first, batch) in [(0, 1), (1, 3), (2, 64), (5, 3), (7, 1), (0, 16)] {
            let given: Vec<_> = inputs.iter().map(|input| input.rows(first, batch)).collect();
            let answer = run(&mut *instance, &given).unwrap();
            for output in &outputs {
                let wanted = output.rows(first, batch);
                assert_eq!(answer.tensors[&output.name].1, wanted.dims);
                let far = farthest(&answer.floats(&output.name), &wanted.values);
                assert!(far < 1e-4, "{name} at batch {batch}: {far}");
            }
        }
    }
}

#[test]
fn the_signature_has_the_models_own_names_and_an_open_batch() {
    let engine = engine();
    let model = load(&engine, &ours("heartbeat", "model.tflite"), &json!(null)).unwrap();
    let shape = |specs: &[einthoven_plugin_sdk::TensorSpec]| {
        let mut all: Vec<_> = specs
            .iter()
            .map(|spec| (spec.name.clone(), spec.dtype, spec.dims.clone()))
            .collect();
        all.sort_by(|left, right| left.0.cmp(&right.0));
        all
    };
    let signature = model.signature();
    assert_eq!(
        shape(&signature.inputs),
        [
            ("beat".to_owned(), DType::F32, vec![None, Some(2), Some(128)]),
            ("rr".to_owned(), DType::F32, vec![None, Some(30)]),
        ]
    );
    assert_eq!(
        shape(&signature.outputs),
        [("probabilities".to_owned(), DType::F32, vec![None, Some(4)])]
    );
    assert_eq!(engine.runtime(), "LiteRT 2.3.0");
}

#[test]
fn models_of_others_run_any_batch_as_if_row_by_row() {
    let engine = engine();
    for file in ["models/kaggle5-187.tflite", "models/aami5-256.tflite"] {
        let Some(bytes) = shared(file) else { continue };
        let model = load(&engine, &bytes, &json!({})).unwrap();
        let signature = model.signature().clone();
        assert!(
            signature
                .inputs
                .iter()
                .chain(&signature.outputs)
                .all(|spec| spec.dims[0].is_none()),
            "{file}: {signature:?}"
        );
        let rows: Vec<_> = signature
            .inputs
            .iter()
            .enumerate()
            .map(|(seed, spec)| {
                let dims: Vec<_> = std::iter::once(7)
                    .chain(spec.dims[1..].iter().map(|dim| dim.unwrap()))
                    .collect();
                let count = dims.iter().product();
                Floats {
                    name: spec.name.clone(),
                    dims,
                    values: (0..count)
                        .map(|index: usize| ((index + seed) as f32 * 0.37).sin())
                        .collect(),
                }
            })
            .collect();
        let mut instance = instance(&*model);
        let name = &signature.outputs[0].name;
        let together = run(&mut *instance, &rows).unwrap();
        let alone: Vec<f32> = (0..7)
            .flat_map(|row| {
                let given: Vec<_> = rows.iter().map(|input| input.rows(row, 1)).collect();
                run(&mut *instance, &given).unwrap().floats(name)
            })
            .collect();
        assert!(farthest(&together.floats(name), &alone) < 1e-5, "{file}");
        assert_ne!(alone[..5], alone[5..10], "{file}: other rows, other answers");
    }
}

#[test]
fn instances_run_beside_each_other_and_give_what_they_give_alone() {
    let engine = engine();
    let model = load(&engine, &ours("heartbeat", "model.tflite"), &json!({"threads": 2})).unwrap();
    let inputs = golden("heartbeat", "inputs");
    let given = |thread: usize, turn: usize| -> Vec<Floats> {
        inputs
            .iter()
            .map(|input| input.rows(thread * 5 + turn, 1 + (thread + turn) % 4))
            .collect()
    };
    let mut single = instance(&*model);
    let model = &*model;
    let wanted: Vec<Vec<Vec<f32>>> = (0..4)
        .map(|thread| {
            (0..50)
                .map(|turn| run(&mut *single, &given(thread, turn)).unwrap().floats("probabilities"))
                .collect()
        })
        .collect();
    std::thread::scope(|scope| {
        for (thread, wanted) in wanted.iter().enumerate() {
            scope.spawn(move || {
                // Made in the thread, so that compiling runs beside compiling and beside running.
                let mut instance = instance(model);
                for (turn, wanted) in wanted.iter().enumerate() {
                    let got = run(&mut *instance, &given(thread, turn))
                        .unwrap()
                        .floats("probabilities");
                    assert_eq!(&got, wanted);
                }
            });
        }
    });
}

#[test]
fn an_empty_batch_gives_outputs_without_rows() {
    let engine = engine();
    let model = load(&engine, &ours("heartbeat", "model.tflite"), &json!({})).unwrap();
    let mut instance = instance(&*model);
    let empty: Vec<_> = golden("heartbeat", "inputs")
        .iter()
        .map(|input| input.rows(0, 0))
        .collect();
    let outputs = run(&mut *instance, &empty).unwrap();
    assert_eq!(outputs.tensors["probabilities"], (DType::F32, vec![0, 4], vec![]));
}

#[test]
fn inputs_that_do_not_fit_are_refused_and_the_instance_goes_on() {
    let engine = engine();
    let model = load(&engine, &ours("heartbeat", "model.tflite"), &json!({})).unwrap();
    let mut instance = instance(&*model);
    let good: Vec<_> = golden("heartbeat", "inputs")
        .iter()
        .map(|input| input.rows(0, 2))
        .collect();
    let before = run(&mut *instance, &good).unwrap().floats("probabilities");

    let mut refused = |inputs: &[Floats], words: &[&str]| {
        let failure = run(&mut *instance, inputs).err().unwrap();
        assert_eq!(failure.code, Code::InvalidArgument);
        assert!(words.iter().all(|word| failure.message.contains(word)), "{failure}");
    };
    refused(&good[..1], &["`rr`", "missing"]);
    let mut wide = good.clone();
    wide[0].dims = vec![2, 128, 2];
    refused(&wide, &["`beat`", "[2, 128, 2]", "[?,2,128]"]);
    let uneven = [good[0].clone(), good[1].rows(0, 1)];
    refused(&uneven, &["number of rows"]);

    let zeros = vec![0_u8; 2 * 2 * 128];
    let rr = good[1].bytes();
    let views = [
        TensorView::new("beat", DType::I8, &[2, 2, 128], &zeros).unwrap(),
        TensorView::new("rr", DType::F32, &[2, 30], &rr).unwrap(),
    ];
    let failure = instance.execute(&views, &mut Outputs::default()).unwrap_err();
    assert!(failure.message.contains("`beat` is i8"), "{failure}");

    assert_eq!(run(&mut *instance, &good).unwrap().floats("probabilities"), before);
}

#[test]
fn a_device_or_setting_that_is_not_there_is_refused() {
    let engine = engine();
    let bytes = ours("heartbeat-row", "model.tflite");
    let model = load(&engine, &bytes, &json!({})).unwrap();
    let failure = model.instance(&Device::from_str("cuda:1").unwrap()).err().unwrap();
    assert_eq!(failure.code, Code::Unavailable);
    assert!(failure.message.contains("cuda:1"), "{failure}");

    for (config, word) in [
        (json!({"threads": 0}), "1 to 256"),
        (json!({"threads": 1000}), "1 to 256"),
        (json!({"threads": "two"}), "two"),
        (json!({"turbo": true}), "turbo"),
        (json!({"signature": "train"}), "serving_default"),
    ] {
        let failure = load(&engine, &bytes, &config).err().unwrap();
        assert!(failure.message.contains(word), "{config}: {failure}");
    }
    let schema: serde_json::Value =
        serde_json::from_str(einthoven_backend_litert::LiteRtEngine::INFO.config_schema).unwrap();
    assert_eq!(schema["additionalProperties"], false);
}

#[test]
fn what_is_no_model_is_refused() {
    let engine = engine();
    let good = ours("heartbeat", "model.tflite");
    for bytes in [
        &b""[..],
        b"TFL3",
        &[0; 64],
        &good[..good.len() / 2],
        &good[..40],
        b"\x08\0\0\0TFL3\xff\xff\xff\xff",
    ] {
        let failure = load(&engine, bytes, &json!({})).err().unwrap();
        assert_eq!(failure.code, Code::InvalidArgument, "{failure}");
        assert!(failure.message.contains("`model.tflite`"), "{failure}");
    }
}
