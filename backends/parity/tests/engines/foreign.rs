//! Models that others trained, where `../shared/data` is there.

use einthoven_backend_parity::{Tensor, open};
use einthoven_plugin_host::{DType, Device, Failure, LoadedModel, ModelFile, ModelPackage, Until};
use std::path::{Path, PathBuf};

const TOLERANCE: f64 = 1e-4;

/// The folder, or nothing, loudly.
fn shared() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!(
        "SKIPPED: {} is not there, so models trained by others were not compared",
        folder.display()
    );
    None
}

fn load(engine: &str, folder: &Path, names: &[&str]) -> Result<LoadedModel, Failure> {
    let contents: Vec<_> = names
        .iter()
        .map(|name| std::fs::read(folder.join(name)).unwrap())
        .collect();
    let files: Vec<_> = names
        .iter()
        .zip(&contents)
        .map(|(name, bytes)| ModelFile { name, bytes })
        .collect();
    let package = ModelPackage {
        files: &files,
        entry: names[0],
        directory: Some(folder),
    };
    open(engine).unwrap().load(engine, &package, &serde_json::json!({}))
}

/// The only output for the only input, one batch of one.
fn answer(model: &LoadedModel, values: &[f64]) -> Vec<f64> {
    let spec = &model.signature().inputs[0];
    let dims = spec.dims.iter().map(|dim| dim.unwrap_or(1)).collect();
    let input = Tensor::from_values(DType::F32, dims, values);
    let mut runner = model.runner(&Device::Cpu).unwrap();
    let outputs = runner.run(&[input.view(&spec.name)], &Until::default()).unwrap();
    let output = outputs.get(&model.signature().outputs[0].name).unwrap();
    output.as_f32().unwrap().iter().map(|&value| f64::from(value)).collect()
}

fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).fold(0.0, |worst, (a, b)| worst.max((a - b).abs()))
}

/// Something like a beat: a narrow wave at `peak`, and a slow one.
fn beat(samples: u32, peak: f64) -> Vec<f64> {
    (0..samples)
        .map(|index| {
            let at = f64::from(index);
            6.0 * (-((at - peak) / 4.0).powi(2)).exp() + 0.4 * (at / 30.0).sin() - 0.3
        })
        .collect()
}

#[test]
fn one_network_as_onnx_and_as_tflite_gives_one_answer() {
    let Some(folder) = shared().map(|folder| folder.join("models")) else {
        return;
    };
    let models = [
        load("onnxruntime", &folder, &["aami5-256.onnx"]).unwrap(),
        load("tract", &folder, &["aami5-256.onnx"]).unwrap(),
        load("litert", &folder, &["aami5-256.tflite"]).unwrap(),
    ];
    for peak in [90.0, 128.0, 180.0] {
        let values = beat(256, peak);
        let answers = models.each_ref().map(|model| answer(model, &values));
        for (model, other) in models.iter().zip(&answers).skip(1) {
            let worst = difference(&answers[0], other);
            assert!(worst < TOLERANCE, "{} differs by {worst}", model.engine());
        }
        assert!(answers[0].iter().any(|value| value.abs() > 1.0));
    }
}

#[test]
fn a_network_for_kaggle_rows_classifies_kaggle_rows() {
    let Some(folder) = shared() else {
        return;
    };
    let model = load("litert", &folder.join("models"), &["kaggle5-187.tflite"]).unwrap();
    let rows = std::fs::read_to_string(folder.join("kaggle/mitbih_test_999N_1608Q.csv")).unwrap();
    let rows: Vec<Vec<f64>> = rows
        .lines()
        .step_by(20)
        .map(|line| line.split(',').map(|value| value.trim().parse().unwrap()).collect())
        .collect();
    let right = rows.iter().filter(|row| {
        let classes = answer(&model, &row[..187]);
        let best = (0..classes.len()).max_by(|&a, &b| classes[a].total_cmp(&classes[b]));
        best.map(|class| f64::from(u32::try_from(class).unwrap())) == Some(row[187])
    });
    let (right, all) = (right.count(), rows.len());
    assert!(all > 100 && right * 100 >= all * 95, "{right} of {all} right");
}

#[test]
fn weights_in_a_second_file_of_the_package_are_found_there_only() {
    let Some(folder) = shared().map(|folder| folder.join("models/lstm-autoencoder")) else {
        return;
    };
    let files = ["ecg_model.onnx", "ecg_model.onnx.data"];
    let model = load("onnxruntime", &folder, &files).unwrap();
    let values = beat(2500, 700.0);
    let wanted = answer(&model, &values);
    match load("tract", &folder, &files) {
        Ok(model) => assert!(difference(&wanted, &answer(&model, &values)) < TOLERANCE),
        Err(refusal) => assert!(!refusal.message.is_empty()),
    }
    // The second file lies in the folder and is not in the package's list.
    let refusal = load("onnxruntime", &folder, &files[..1]).err().unwrap();
    assert!(refusal.message.contains("ecg_model.onnx.data"), "{refusal}");
    assert!(load("tract", &folder, &files[..1]).is_err());
}
