//! Models run and give the answers they should.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{BOOL, Batch, Buffer, F16, F32, I8, I64, U8, instance, load, load_files, model, node, repository, value};
use einthoven_plugin_sdk::{Code, DType, Device, ModelFile};
use serde_json::{Value, json};
use std::fs;
use std::time::Instant;

fn numbers(value: &Value) -> Vec<f32> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap() as f32)
        .collect()
}

fn dims(value: &Value) -> Vec<usize> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|dim| dim.as_u64().unwrap() as usize)
        .collect()
}

/// The largest difference from the reference outputs that lie beside the model.
fn difference(file: &str, config: &Value) -> f32 {
    let folder = repository("models/heartbeat");
    let golden: Value = serde_json::from_slice(&fs::read(folder.join("golden.json")).unwrap()).unwrap();
    let model = load(&fs::read(folder.join(file)).unwrap(), config).unwrap();
    let mut instance = model.instance(&Device::Cpu).unwrap();
    assert_eq!(instance.provider(), "CPUExecutionProvider");
    let inputs: Vec<_> = golden["inputs"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, input)| (name, dims(&input["dims"]), Buffer::f32(&numbers(&input["values"]))))
        .collect();
    let views: Vec<_> = inputs
        .iter()
        .map(|(name, dims, buffer)| buffer.view(name, DType::F32, dims))
        .collect();
    let mut largest = 0_f32;
    for _ in 0..2 {
        let mut batch = Batch::default();
        instance.execute(&views, &mut batch).unwrap();
        for (name, output) in golden["outputs"].as_object().unwrap() {
            let wanted = numbers(&output["values"]);
            let given = batch.f32(name);
            assert_eq!(given.len(), wanted.len());
            for (given, wanted) in given.iter().zip(&wanted) {
                assert!(given.is_finite());
                largest = largest.max((given - wanted).abs());
            }
        }
    }
    largest
}

#[test]
fn our_model_gives_its_reference_outputs() {
    assert!(difference("model.onnx", &json!({})) < 1e-4);
    assert!(difference("model.int8.onnx", &json!({})) < 0.1);
}

#[test]
fn every_setting_gives_the_same_answers() {
    for config in [
        json!({ "threads": 2, "spinning": true, "interop_threads": 2 }),
        json!({ "threads": 0, "arena": "off", "graph_optimization": "off" }),
        json!({ "arena": "shrink", "graph_optimization": "basic" }),
        json!({ "io_binding": true, "graph_optimization": "layout", "provider": "cpu" }),
    ] {
        let difference = difference("model.onnx", &config);
        assert!(difference < 1e-4, "{config}: {difference}");
    }
}

#[test]
fn a_model_of_others_runs() {
    let path = repository("../shared/data/models/aami5-256.onnx");
    let Ok(bytes) = fs::read(&path) else {
        eprintln!("SKIPPED: {} is not there", path.display());
        return;
    };
    let model = load(&bytes, &json!({})).unwrap();
    let input = model.signature().inputs[0].clone();
    assert_eq!(input.dims, [None, Some(1), Some(256)]);
    let beats: Vec<f32> = (0..3 * 256).map(|index| (index as f32 * 0.05).sin()).collect();
    let buffer = Buffer::f32(&beats);
    let mut batch = Batch::default();
    let mut instance = model.instance(&Device::Cpu).unwrap();
    instance
        .execute(&[buffer.view(&input.name, DType::F32, &[3, 1, 256])], &mut batch)
        .unwrap();
    let output = &batch.outputs[0];
    assert_eq!(output.2, [3, 5]);
    // A beat's answer does not depend on its neighbours in the batch.
    let whole = batch.f32(&output.0);
    let alone = Buffer::f32(&beats[256..512]);
    let mut second = Batch::default();
    instance
        .execute(&[alone.view(&input.name, DType::F32, &[1, 1, 256])], &mut second)
        .unwrap();
    for (left, right) in second.f32(&output.0).iter().zip(&whole[5..10]) {
        assert!((left - right).abs() < 1e-5);
    }
}

#[test]
fn weights_in_a_file_of_the_package() {
    let folder = repository("../shared/data/models/lstm-autoencoder");
    let (Ok(graph), Ok(weights)) = (
        fs::read(folder.join("ecg_model.onnx")),
        fs::read(folder.join("ecg_model.onnx.data")),
    ) else {
        eprintln!("SKIPPED: {} is not there", folder.display());
        return;
    };
    let graph = ModelFile {
        name: "net/ecg_model.onnx",
        bytes: &graph,
    };
    let weights = ModelFile {
        name: "net/ecg_model.onnx.data",
        bytes: &weights,
    };
    let model = load_files(&[graph, weights], &json!({})).unwrap();
    let input = model.signature().inputs[0].clone();
    let size: Vec<usize> = input.dims.iter().map(|dim| dim.unwrap_or(1)).collect();
    let values: Vec<f32> = (0..size.iter().product())
        .map(|index| (index as f32 * 0.05).sin())
        .collect();
    let buffer = Buffer::f32(&values);
    let mut batch = Batch::default();
    // Two instances, so that the weights are handed over twice.
    for _ in 0..2 {
        let mut instance = model.instance(&Device::Cpu).unwrap();
        instance
            .execute(&[buffer.view(&input.name, DType::F32, &size)], &mut batch)
            .unwrap();
    }
    let name = &model.signature().outputs[0].name;
    assert!(batch.f32(name).iter().any(|value| *value != 0.0));
    assert_eq!(batch.outputs[0].3, batch.outputs[model.signature().outputs.len()].3);

    let missing = load_files(&[graph], &json!({})).err().unwrap();
    assert_eq!(missing.code, Code::InvalidArgument);
    assert!(
        missing
            .message
            .contains("`ecg_model.onnx.data`, which is not in the package"),
        "{missing}"
    );
    let cut = ModelFile {
        name: "net/ecg_model.onnx.data",
        bytes: &weights.bytes[..1000],
    };
    let cut = load_files(&[graph, cut], &json!({})).err().unwrap();
    assert_eq!(cut.code, Code::InvalidArgument);
    assert!(cut.message.contains("`ecg_model.onnx.data`, which has 1000"), "{cut}");
}

#[test]
fn every_element_type_passes_through() {
    for (number, dtype, bytes) in [
        (F32, DType::F32, [1.5_f32, -2.0].map(f32::to_le_bytes).concat()),
        (F16, DType::F16, vec![0x00, 0x3e, 0x00, 0xc0]),
        (I64, DType::I64, [i64::MIN, 7].map(i64::to_le_bytes).concat()),
        (I8, DType::I8, vec![0x80, 0x7f]),
        (U8, DType::U8, vec![0, 255]),
        (BOOL, DType::Bool, vec![1, 0]),
    ] {
        let graph = model(
            &[node("same", "Identity", &["x"], &["y"], &[])],
            &[value("x", number, &[-1, 1])],
            &[value("y", number, &[-1, 1])],
            &[],
        );
        let buffer = Buffer::new(&bytes);
        let mut batch = Batch::default();
        instance(&graph)
            .execute(&[buffer.view("x", dtype, &[2, 1])], &mut batch)
            .unwrap();
        assert_eq!(batch.outputs, [("y".to_owned(), dtype, vec![2, 1], bytes)]);
    }
}

#[test]
fn several_inputs_and_outputs_of_several_types() {
    let graph = model(
        &[
            node("sum", "Add", &["a", "b"], &["s"], &[]),
            node("less", "Less", &["a", "b"], &["l"], &[]),
            node("shape", "Shape", &["a"], &["d"], &[]),
        ],
        &[value("a", F16, &[-1, 2]), value("b", F16, &[-1, 2])],
        &[
            value("s", F16, &[-1, 2]),
            value("l", BOOL, &[-1, 2]),
            value("d", I64, &[2]),
        ],
        &[],
    );
    let (one, two) = (0x3c00_u16.to_le_bytes(), 0x4000_u16.to_le_bytes());
    let a = Buffer::new(&[one, two].concat());
    let b = Buffer::new(&[two, one].concat());
    let three = 0x4200_u16.to_le_bytes();
    let mut batch = Batch::default();
    // By name, in any order.
    let views = [b.view("b", DType::F16, &[1, 2]), a.view("a", DType::F16, &[1, 2])];
    instance(&graph).execute(&views, &mut batch).unwrap();
    assert_eq!(
        batch.outputs[0],
        ("s".to_owned(), DType::F16, vec![1, 2], [three, three].concat())
    );
    assert_eq!(batch.outputs[1], ("l".to_owned(), DType::Bool, vec![1, 2], vec![1, 0]));
    assert_eq!(batch.outputs[2].3, [1_i64, 2].map(i64::to_le_bytes).concat());
}

fn doubled() -> Vec<u8> {
    model(
        &[node("twice", "Add", &["x", "x"], &["y"], &[])],
        &[value("x", F32, &[-1, 3])],
        &[value("y", F32, &[-1, 3])],
        &[],
    )
}

#[test]
fn a_batch_of_nothing_gives_nothing() {
    let mut instance = instance(&doubled());
    let empty = Buffer::f32(&[]);
    let mut batch = Batch::default();
    instance
        .execute(&[empty.view("x", DType::F32, &[0, 3])], &mut batch)
        .unwrap();
    assert_eq!(batch.outputs, [("y".to_owned(), DType::F32, vec![0, 3], Vec::new())]);
}

#[test]
fn inputs_that_do_not_fit_are_refused_and_the_next_batch_runs() {
    let mut instance = instance(&doubled());
    let values = Buffer::f32(&[1.0, 2.0, 3.0, 4.0]);
    for (views, said) in [
        (vec![], "`x` is missing"),
        (vec![values.view("z", DType::F32, &[4, 1])], "`x` is missing"),
        (
            vec![values.view("x", DType::F32, &[1, 4])],
            "[1, 4], the model wants f32 [?,3]",
        ),
        (vec![values.view("x", DType::F32, &[4])], "[4]"),
        (vec![values.view("x", DType::I8, &[4, 4])], "is i8"),
    ] {
        let failure = instance.execute(&views, &mut Batch::default()).unwrap_err();
        assert_eq!(failure.code, Code::InvalidArgument);
        assert!(failure.message.contains(said), "{failure}");
    }
    let mut batch = Batch::default();
    let three = Buffer::f32(&[1.0, 2.0, 3.0]);
    instance
        .execute(&[three.view("x", DType::F32, &[1, 3])], &mut batch)
        .unwrap();
    assert_eq!(batch.f32("y"), [2.0, 4.0, 6.0]);
}

#[test]
fn truth_values_other_than_0_and_1_are_refused() {
    let graph = model(
        &[node("not", "Not", &["x"], &["y"], &[])],
        &[value("x", BOOL, &[-1])],
        &[value("y", BOOL, &[-1])],
        &[],
    );
    let odd = Buffer::new(&[0, 2]);
    let failure = instance(&graph)
        .execute(&[odd.view("x", DType::Bool, &[2])], &mut Batch::default())
        .unwrap_err();
    assert_eq!(failure.code, Code::InvalidArgument);
}

#[test]
fn a_batch_that_nobody_waits_for_is_not_begun() {
    let mut instance = instance(&doubled());
    let three = Buffer::f32(&[1.0, 2.0, 3.0]);
    let views = [three.view("x", DType::F32, &[1, 3])];
    let mut gone = Batch {
        cancelled: true,
        ..Batch::default()
    };
    assert_eq!(instance.execute(&views, &mut gone).unwrap_err().code, Code::Cancelled);
    let mut late = Batch {
        deadline: Some(Instant::now()),
        ..Batch::default()
    };
    assert_eq!(
        instance.execute(&views, &mut late).unwrap_err().code,
        Code::DeadlineExceeded
    );
}

#[test]
fn instances_that_run_at_once_each_give_their_own_answers() {
    let graph = fs::read(repository("models/heartbeat/model.onnx")).unwrap();
    let model = load(&graph, &json!({})).unwrap();
    let golden: Value = serde_json::from_slice(&fs::read(repository("models/heartbeat/golden.json")).unwrap()).unwrap();
    // Batches of several sizes, with other numbers in each.
    let batch = |number: usize| {
        let rows = 1 + number % 5;
        let inputs = golden["inputs"].as_object().unwrap().iter().map(|(name, input)| {
            let row = dims(&input["dims"])[1..].to_vec();
            let count = rows * row.iter().product::<usize>();
            let values: Vec<_> = (0..count).map(|at| ((at * (number + 3)) as f32 * 0.01).sin()).collect();
            (name.clone(), [vec![rows], row].concat(), Buffer::f32(&values))
        });
        inputs.collect::<Vec<_>>()
    };
    let answer = |instance: &mut dyn einthoven_plugin_sdk::Instance, number| {
        let inputs = batch(number);
        let views: Vec<_> = inputs
            .iter()
            .map(|(name, dims, buffer)| buffer.view(name, DType::F32, dims))
            .collect();
        let mut given = Batch::default();
        instance.execute(&views, &mut given).unwrap();
        given.outputs
    };
    let mut alone = model.instance(&Device::Cpu).unwrap();
    let wanted: Vec<_> = (0..12).map(|number| answer(&mut *alone, number)).collect();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let mut instance = model.instance(&Device::Cpu).unwrap();
            let (answer, wanted) = (&answer, &wanted);
            scope.spawn(move || {
                for turn in 0..300 {
                    let number = (turn * (thread + 1)) % wanted.len();
                    assert!(answer(&mut *instance, number) == wanted[number], "batch {number}");
                }
            });
        }
    });
}
