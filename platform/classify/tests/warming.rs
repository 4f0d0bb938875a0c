//! A version is warm before it is ready: its instances ran every batch size that its manifest declares.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use einthoven_classify::{Choice, LoadError, PackageFile, ServedModel, Serving};
use einthoven_plugin_host::{Engines, Plugin};
use einthoven_plugin_sdk::{
    Call, DType, Device, Engine, EngineInfo, Failure, Instance, Model, ModelPackage, Setup, Signature, TensorSpec,
    TensorView,
};
use std::sync::{Arc, Mutex};

/// Rows of a batch that the engine refuses.
const TOO_MANY: usize = 100;

/// Rows of every batch, for each instance in the order in which they were made.
static BATCHES: Mutex<Vec<Vec<usize>>> = Mutex::new(Vec::new());

/// Gives back what it gets, and writes down how many rows there were.
struct Recorder;

struct Loaded(Signature);

struct Copy(usize);

impl Engine for Recorder {
    const INFO: EngineInfo = EngineInfo {
        name: "recorder",
        version: "1.0.0",
        formats: &["rec"],
        dtypes: &[DType::F32],
        devices: &["cpu"],
        config_schema: r#"{"type": "object", "additionalProperties": false}"#,
    };

    fn open(_: &Setup<'_>) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn runtime(&self) -> String {
        "1.0.0".to_owned()
    }

    fn load(&self, _: &ModelPackage<'_>, _: &serde_json::Value) -> Result<Box<dyn Model>, Failure> {
        let spec = |name: &str| TensorSpec {
            name: name.to_owned(),
            dtype: DType::F32,
            dims: vec![None, Some(1)],
        };
        Ok(Box::new(Loaded(Signature {
            inputs: vec![spec("x")],
            outputs: vec![spec("y")],
        })))
    }
}

impl Model for Loaded {
    fn signature(&self) -> &Signature {
        &self.0
    }

    fn instance(&self, _: &Device) -> Result<Box<dyn Instance>, Failure> {
        let mut batches = BATCHES.lock().unwrap();
        batches.push(Vec::new());
        Ok(Box::new(Copy(batches.len() - 1)))
    }
}

impl Instance for Copy {
    fn execute(&mut self, inputs: &[TensorView<'_>], call: &mut dyn Call) -> Result<(), Failure> {
        let rows = inputs[0].dims()[0];
        BATCHES.lock().unwrap()[self.0].push(rows);
        if rows >= TOO_MANY {
            return Err(Failure::invalid("too many rows"));
        }
        let bytes = inputs[0].bytes();
        call.output("y", DType::F32, inputs[0].dims())?.copy_from_slice(bytes);
        Ok(())
    }
}

fn load(warm_up_rows: &[usize]) -> Result<ServedModel, LoadError> {
    BATCHES.lock().unwrap().clear();
    let mut engines = Engines::default();
    let recorder = Plugin::linked_engine::<Recorder>().unwrap();
    engines.add(recorder, &serde_json::json!({})).unwrap();
    let serving = Serving {
        engines,
        workers: Arc::default(),
    };
    let tensor = |name: &str| serde_json::json!([{"name": name, "dtype": "f32", "dims": [null, 1]}]);
    let manifest = serde_json::json!({
        "name": "echo",
        "inputs": tensor("x"),
        "outputs": tensor("y"),
        "warm_up_rows": warm_up_rows,
    });
    let values = serde_json::json!({"dims": [3, 1], "values": [1.0, 2.0, 3.0]});
    let golden = serde_json::json!({"inputs": {"x": values}, "outputs": {"y": values}});
    let (manifest, golden) = (manifest.to_string(), golden.to_string());
    let files = [
        ("manifest.json", manifest.as_bytes()),
        ("golden.json", golden.as_bytes()),
        ("model.rec", b"nothing".as_slice()),
    ];
    let choice = Choice {
        engine: "recorder".to_owned(),
        file: "model.rec".to_owned(),
        tolerance: 1e-4,
    };
    ServedModel::load(
        &serving,
        &files.map(|(name, bytes)| PackageFile { name, bytes }),
        choice,
        None,
    )
}

#[test]
fn every_declared_batch_ran_before_the_version_is_ready() {
    let ready = load(&[1, 5, 64]).unwrap();
    let batches = BATCHES.lock().unwrap().clone();
    assert!(!batches.is_empty());
    for of_instance in &batches {
        assert_eq!(of_instance.get(..3), Some(&[1, 5, 64][..]), "{batches:?}");
    }
    // And the golden inputs after them.
    assert!(
        batches.iter().flat_map(|all| &all[3..]).sum::<usize>() >= 3,
        "{batches:?}"
    );
    drop(ready);

    // What cannot run a size that was declared is not ready.
    assert!(matches!(load(&[1, TOO_MANY]), Err(LoadError::Engine { .. })));
    assert_eq!(*BATCHES.lock().unwrap(), [vec![1, TOO_MANY]]);
}
