//! The files beside the crate are the ones their manifests name.

use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_file_has_the_digest_its_manifest_gives_and_is_under_one_megabyte() {
    for model in einthoven_models::embedded() {
        let manifest: Value = serde_json::from_str(model.manifest_json).unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(model.name);
        let files = manifest["files"].as_object().unwrap();
        assert!(files.contains_key("model.onnx"), "{}", model.name);
        for (file, entry) in files {
            let bytes = std::fs::read(folder.join(file)).unwrap();
            assert_eq!(entry["sha256"], digest(&bytes), "{}/{file}", model.name);
            assert!(bytes.len() < 1_000_000, "{}/{file}", model.name);
        }
        assert_eq!(manifest["files"]["model.onnx"]["sha256"], digest(model.onnx));
    }
}

#[test]
fn manifests_describe_their_models() {
    for model in einthoven_models::embedded() {
        let manifest: Value = serde_json::from_str(model.manifest_json).unwrap();
        assert_eq!(manifest["name"], model.name);
        let labels = manifest["labels"].as_array().unwrap().len();
        assert_eq!(manifest["outputs"][0]["dims"][1], labels);
        assert_eq!(manifest["outputs"][0]["name"], "probabilities");
        assert!(manifest["parameters"].as_u64().unwrap() <= 60_000);
        assert_eq!(einthoven_models::by_name(model.name), Some(model));
    }
}

#[test]
fn golden_inputs_and_outputs_fit_the_manifest() {
    for model in einthoven_models::embedded() {
        let manifest: Value = serde_json::from_str(model.manifest_json).unwrap();
        let golden: Value = serde_json::from_str(model.golden_json).unwrap();
        let mut tensors: Vec<_> = manifest["inputs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|i| (i, "inputs"))
            .collect();
        tensors.push((&manifest["outputs"][0], "outputs"));
        for (described, side) in tensors {
            let given = &golden[side][described["name"].as_str().unwrap()];
            let dims: Vec<u64> = given["dims"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(Value::as_u64)
                .collect();
            assert_eq!(
                given["values"].as_array().unwrap().len() as u64,
                dims.iter().product::<u64>()
            );
            assert_eq!(
                described["dims"].as_array().unwrap()[1..]
                    .iter()
                    .filter_map(Value::as_u64)
                    .collect::<Vec<_>>(),
                dims[1..]
            );
        }
        for row in golden["outputs"]["probabilities"]["values"]
            .as_array()
            .unwrap()
            .chunks(manifest["labels"].as_array().unwrap().len())
        {
            let sum: f64 = row.iter().filter_map(Value::as_f64).sum();
            assert!((sum - 1.0).abs() < 1e-4);
        }
    }
}
