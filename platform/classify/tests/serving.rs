//! What must hold before a version serves, with the real model on the real engine.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use einthoven_classify::{Choice, LoadError, Options, PackageFile, ServedModel, Serving, classify};
use einthoven_ecg::recording::{Lead, Recording, StandardLead};
use einthoven_plugin_host::{Engines, Plugin};

/// The embedded model's files, for a test to damage.
use std::sync::Arc;

fn choice(engine: &str) -> Choice {
    Choice {
        engine: engine.to_owned(),
        file: "model.onnx".to_owned(),
        tolerance: 1e-4,
    }
}

fn serving() -> Serving {
    let mut engines = Engines::default();
    let tract = Plugin::linked_engine::<einthoven_backend_tract::TractEngine>().unwrap();
    engines.add(tract, &serde_json::json!({})).unwrap();
    Serving {
        engines,
        workers: Arc::default(),
    }
}

fn package() -> (String, Vec<u8>, String) {
    let model = einthoven_models::by_name("heartbeat").unwrap();
    (
        model.manifest_json.to_owned(),
        model.onnx.to_vec(),
        model.golden_json.to_owned(),
    )
}

fn load((manifest, onnx, golden): &(String, Vec<u8>, String)) -> Result<ServedModel, LoadError> {
    let files = [
        PackageFile {
            name: "manifest.json",
            bytes: manifest.as_bytes(),
        },
        PackageFile {
            name: "model.onnx",
            bytes: onnx,
        },
        PackageFile {
            name: "golden.json",
            bytes: golden.as_bytes(),
        },
    ];
    ServedModel::load(&serving(), &files, choice("tract"), None)
}

#[test]
fn the_embedded_model_gives_its_golden_outputs() {
    let model = load(&package()).unwrap();
    assert_eq!((model.manifest().name.as_str(), model.engine()), ("heartbeat", "tract"));
    assert_eq!(model.digest().len(), "sha256:".len() + 64);
}

#[test]
fn a_version_that_is_not_what_it_says_does_not_serve() {
    let mut golden = package();
    golden.2 = golden.2.replacen("0.", "1.", 200);
    assert!(matches!(load(&golden), Err(LoadError::Golden { .. })));

    let mut signature = package();
    signature.0 = signature.0.replace("128", "129");
    assert!(matches!(load(&signature), Err(LoadError::Signature { .. })));

    let mut cut = package();
    cut.1.truncate(20_000);
    assert!(matches!(load(&cut), Err(LoadError::Engine { .. })));

    let mut recipe = package();
    recipe.0 = recipe.0.replace("beat-rr-v1", "beat-rr-v9");
    assert!(matches!(load(&recipe), Err(LoadError::Recipe { .. })));

    let mut manifest = package();
    manifest.0.truncate(10);
    assert!(matches!(load(&manifest), Err(LoadError::Manifest(_))));
}

#[test]
fn a_missing_engine_is_named_with_those_there_are() {
    let files = package();
    let parts = [
        PackageFile {
            name: "manifest.json",
            bytes: files.0.as_bytes(),
        },
        PackageFile {
            name: "golden.json",
            bytes: files.2.as_bytes(),
        },
    ];
    let error = ServedModel::load(&serving(), &parts, choice("none"), None)
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("`none`") && error.contains("tract"), "{error}");
}

/// Too few beats for a rhythm: they are shown, and nothing is claimed about them.
#[test]
fn two_beats_are_found_and_not_classified() {
    let wave = |i: usize| {
        if i % 200 < 8 && i > 100 {
            1.0 - (i % 200) as f32 / 8.0
        } else {
            0.001 * (i % 7) as f32
        }
    };
    let lead = Lead {
        name: "II".into(),
        standard: Some(StandardLead::II),
        samples_mv: (0..520).map(wave).collect(),
        rails_mv: None,
    };
    let recording = Recording {
        name: "short".into(),
        format: "csv".into(),
        sampling_rate_hz: 250.0,
        leads: vec![lead],
        flags: vec![],
    };
    let document = classify(&recording, &load(&package()).unwrap(), &Options::default()).unwrap();
    assert!(document.beats.len() < 4);
    assert!(
        document.beats.iter().all(|beat| beat.class.is_none()),
        "{:?}",
        document.beats
    );
}
