//! What stands behind the queues: an engine that sleeps, and the embedded network for rows on tract.

use anyhow::Context;
use einthoven_dispatch::{Call, Dispatcher, Instance, Priority, Settings, Source, Tensor};
use einthoven_plugin_host::{
    DType, Device, Engines, Failure, LoadedModel, ModelFile, ModelPackage, Outputs, Plugin, Runner, Signature,
    TensorSpec, TensorView, Until,
};
use std::sync::Arc;
use std::time::Duration;

/// A batch of the sleeping engine takes so long, and each row as much again.
const BATCH: Duration = Duration::from_micros(500);
const ROW: Duration = Duration::from_micros(100);

/// An engine, and what its model takes.
pub(super) struct Bed {
    pub(super) name: &'static str,
    source: Arc<dyn Source>,
    signature: Signature,
}

impl Bed {
    pub(super) fn queue(&self) -> Dispatcher {
        let settings = Settings {
            instances: 2.try_into().unwrap_or(std::num::NonZeroUsize::MIN),
            ..Settings::default()
        };
        Dispatcher::new(
            self.name,
            self.signature.clone(),
            Arc::clone(&self.source),
            None,
            settings,
        )
    }

    pub(super) fn call(&self, flow: &str, priority: Priority, rows: usize) -> Call {
        let tensor = |spec: &TensorSpec| {
            let row = spec.dims.iter().skip(1).map(|size| size.unwrap_or(1));
            let dims: Vec<usize> = std::iter::once(rows).chain(row).collect();
            let values = dims.iter().product::<usize>();
            Tensor {
                name: spec.name.as_str().into(),
                dtype: spec.dtype,
                data: std::iter::repeat_n(0.25_f32.to_le_bytes(), values)
                    .flatten()
                    .collect::<Vec<u8>>()
                    .into(),
                dims,
            }
        };
        Call {
            inputs: self.signature.inputs.iter().map(tensor).collect(),
            priority,
            flow: flow.into(),
            deadline: None,
            alone: true,
        }
    }
}

pub(super) fn sleeping() -> Bed {
    let spec = |name: &str| TensorSpec {
        name: name.to_owned(),
        dtype: DType::F32,
        dims: vec![None, Some(1)],
    };
    Bed {
        name: "an engine that sleeps (0.5 ms, and 0.1 ms a row)",
        source: Arc::new(Sleeps),
        signature: Signature {
            inputs: vec![spec("x")],
            outputs: vec![spec("y")],
        },
    }
}

pub(super) fn computing() -> anyhow::Result<Bed> {
    let embedded = einthoven_models::by_name("heartbeat-row").context("there is no network for rows")?;
    let mut engines = Engines::default();
    let tract = Plugin::linked_engine::<einthoven_backend_tract::TractEngine>()?;
    let nothing = serde_json::json!({});
    engines.add(tract, &nothing)?;
    let file = ModelFile {
        name: "model.onnx",
        bytes: embedded.onnx,
    };
    let package = ModelPackage {
        files: &[file],
        entry: "model.onnx",
        directory: None,
    };
    let model = engines.load("tract", &package, &nothing)?;
    Ok(Bed {
        name: "tract on every core (`heartbeat-row`)",
        signature: model.signature().clone(),
        source: Arc::new(Computes(model)),
    })
}

/// Takes its time as an engine on a processor of its own would.
struct Sleeps;

impl Source for Sleeps {
    fn instance(&self) -> Result<Box<dyn Instance>, Failure> {
        Ok(Box::new(Self))
    }
}

impl Instance for Sleeps {
    fn run(&mut self, inputs: &[TensorView<'_>], _until: &Until) -> Result<Outputs, Failure> {
        let rows = inputs[0].dims()[0];
        std::thread::sleep(BATCH + ROW * rows as u32);
        let mut outputs = Outputs::default();
        outputs.add("y", DType::F32, &[rows, 1])?;
        Ok(outputs)
    }

    fn provider(&self) -> &str {
        "sleeps"
    }

    fn usable(&self) -> bool {
        true
    }
}

struct Computes(LoadedModel);

struct Copy(Runner);

impl Source for Computes {
    fn instance(&self) -> Result<Box<dyn Instance>, Failure> {
        Ok(Box::new(Copy(self.0.runner(&Device::Cpu)?)))
    }
}

impl Instance for Copy {
    fn run(&mut self, inputs: &[TensorView<'_>], until: &Until) -> Result<Outputs, Failure> {
        self.0.run(inputs, until)
    }

    fn provider(&self) -> &str {
        self.0.provider()
    }

    fn usable(&self) -> bool {
        self.0.usable()
    }
}
