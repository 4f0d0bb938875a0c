//! An example engine: `y = scale * x + bias`, with its own file format. [`model`] reads the file, this file is the engine.
//!
//! A file `NAME.gain` has three lines: `width 4`, `scale 0.5`, `bias 0.25`.

mod model;

use einthoven_plugin_sdk::{
    Call, DType, Device, Engine, EngineInfo, Failure, Instance, Model, ModelPackage, Setup, Signature, TensorView,
};
use model::Gain;

einthoven_plugin_sdk::export_engine!(GainEngine);

struct GainEngine;

impl Engine for GainEngine {
    const INFO: EngineInfo = EngineInfo {
        name: "gain",
        version: env!("CARGO_PKG_VERSION"),
        formats: &["gain"],
        dtypes: &[DType::F32],
        devices: &["cpu"],
        config_schema: r#"{"type": "object", "additionalProperties": false}"#,
    };

    fn open(_: &Setup<'_>) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn runtime(&self) -> String {
        env!("CARGO_PKG_VERSION").to_owned()
    }

    fn load(&self, package: &ModelPackage<'_>, _: &serde_json::Value) -> Result<Box<dyn Model>, Failure> {
        let bytes = package.file(package.entry);
        let bytes = bytes.ok_or_else(|| Failure::invalid(format!("`{}` is not in the package", package.entry)))?;
        Ok(Box::new(Gain::parse(package.entry, bytes)?))
    }
}

impl Model for Gain {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn instance(&self, device: &Device) -> Result<Box<dyn Instance>, Failure> {
        if *device != Device::Cpu {
            return Err(Failure::unsupported(format!(
                "`gain` computes on the cpu, not on {device}"
            )));
        }
        Ok(Box::new(self.clone()))
    }
}

impl Instance for Gain {
    fn execute(&mut self, inputs: &[TensorView<'_>], call: &mut dyn Call) -> Result<(), Failure> {
        let x = self.signature.inputs[0].pick(inputs)?;
        let values = x.as_f32()?;
        let y = call.output("y", DType::F32, x.dims())?;
        let y: &mut [f32] = bytemuck::try_cast_slice_mut(y).map_err(Failure::internal)?;
        for (y, x) in y.iter_mut().zip(values) {
            *y = self.scale * x + self.bias;
        }
        for (item, row) in values.chunks(self.width).enumerate() {
            if !row.iter().all(|value| value.is_finite()) {
                call.fail_item(item, Failure::invalid("`x` holds values that are not finite"));
            }
        }
        Ok(())
    }
}
