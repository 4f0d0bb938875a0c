//! An engine that panics where it should fail: while it loads a damaged file, and over values that are not finite.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "it is broken on purpose")]

use einthoven_plugin_sdk::{
    Call, DType, Device, Engine, EngineInfo, Failure, Instance, Model, ModelPackage, Setup, Signature, TensorSpec,
    TensorView,
};

einthoven_plugin_sdk::export_engine!(Panics);

struct Panics;

impl Engine for Panics {
    const INFO: EngineInfo = EngineInfo {
        name: "panics",
        version: "1.0.0",
        formats: &["gain"],
        dtypes: &[DType::F32],
        devices: &["cpu"],
        config_schema: "{}",
    };

    fn open(_: &Setup<'_>) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn runtime(&self) -> String {
        "1.0.0".to_owned()
    }

    fn load(&self, package: &ModelPackage<'_>, _: &serde_json::Value) -> Result<Box<dyn Model>, Failure> {
        let text = std::str::from_utf8(package.file(package.entry).unwrap()).unwrap();
        let width = text.strip_prefix("width ").unwrap().lines().next().unwrap();
        let spec = |name: &str| TensorSpec {
            name: name.to_owned(),
            dtype: DType::F32,
            dims: vec![None, Some(width.parse().unwrap())],
        };
        Ok(Box::new(Copies(Signature {
            inputs: vec![spec("x")],
            outputs: vec![spec("y")],
        })))
    }
}

#[derive(Clone)]
struct Copies(Signature);

impl Model for Copies {
    fn signature(&self) -> &Signature {
        &self.0
    }

    fn instance(&self, _: &Device) -> Result<Box<dyn Instance>, Failure> {
        Ok(Box::new(self.clone()))
    }
}

impl Instance for Copies {
    fn execute(&mut self, inputs: &[TensorView<'_>], call: &mut dyn Call) -> Result<(), Failure> {
        let x = self.0.inputs[0].pick(inputs)?;
        assert!(
            x.as_f32()?.iter().all(|value| value.is_finite()),
            "a value that is not finite"
        );
        call.output("y", DType::F32, x.dims())?.copy_from_slice(x.bytes());
        Ok(())
    }
}
