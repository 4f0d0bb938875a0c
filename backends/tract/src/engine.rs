//! Loading: ONNX bytes to an optimised plan with a symbolic batch.

use crate::convert::from_tract;
use crate::instance::TractInstance;
use einthoven_plugin_sdk::{
    Code, DType, Device, Engine, EngineInfo, Failure, Instance, Model, ModelPackage, Setup, Signature, TensorSpec,
};
use std::sync::Arc;
use tract_onnx::prelude::{Framework, InferenceModelExt, IntoRunnable, ToDim, TypedModel, TypedRunnableModel};
use tract_onnx::tract_hir::infer::{Factoid, InferenceFact, InferenceModel};

/// The engine; it has no state of its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct TractEngine;

impl Engine for TractEngine {
    const INFO: EngineInfo = EngineInfo {
        name: "tract",
        version: env!("CARGO_PKG_VERSION"),
        formats: &["onnx"],
        dtypes: &DType::ALL,
        devices: &["cpu"],
        config_schema: r#"{"type":"object","additionalProperties":false}"#,
    };

    fn open(_setup: &Setup<'_>) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn runtime(&self) -> String {
        "0.23.9".to_owned()
    }

    fn load(&self, package: &ModelPackage<'_>, _config: &serde_json::Value) -> Result<Box<dyn Model>, Failure> {
        let bytes = package
            .file(package.entry)
            .ok_or_else(|| Failure::new(Code::NotFound, format!("the package has no file `{}`", package.entry)))?;
        let refused = |cause| Failure::new(Code::InvalidArgument, format!("`{}`: {cause:#}", package.entry));
        let mut graph = tract_onnx::onnx()
            .model_for_read(&mut std::io::Cursor::new(bytes))
            .map_err(refused)?;
        let inputs = open_batch(&mut graph)?;
        let names: Vec<String> = graph
            .outputs
            .iter()
            .map(|&outlet| {
                graph
                    .outlet_label(outlet)
                    .unwrap_or(&graph.node(outlet.node).name)
                    .to_owned()
            })
            .collect();
        let lacking = |cause| Failure::new(Code::Unsupported, format!("`{}`: {cause:#}", package.entry));
        let optimised = graph.into_optimized().map_err(lacking)?;
        let signature = Signature {
            inputs,
            outputs: outputs(&names, &optimised)?,
        };
        let plan = optimised.into_runnable().map_err(lacking)?;
        Ok(Box::new(TractModel { plan, signature }))
    }
}

/// Makes the first dimension of every input one common symbol, so that one plan runs every batch size.
fn open_batch(graph: &mut InferenceModel) -> Result<Vec<TensorSpec>, Failure> {
    let batch = graph.symbols.sym("N");
    let mut specs = Vec::new();
    for index in 0..graph.inputs.len() {
        let fact = graph.input_fact(index).map_err(Failure::internal)?.clone();
        let name = graph.node(graph.inputs[index].node).name.clone();
        let spec = spec(&name, &fact)?;
        if spec.dims.first() == Some(&None) {
            let mut dims = vec![batch.to_dim()];
            for dim in &spec.dims[1..] {
                let size = dim.ok_or_else(|| {
                    let text = format!(
                        "input `{name}` leaves a dimension other than the batch open: {:?}",
                        spec.dims
                    );
                    Failure::new(Code::Unsupported, text)
                })?;
                dims.push(size.to_dim());
            }
            let datum = crate::convert::to_tract(spec.dtype);
            graph
                .set_input_fact(index, InferenceFact::dt_shape(datum, dims))
                .map_err(Failure::internal)?;
        }
        specs.push(spec);
    }
    Ok(specs)
}

/// Types and shapes of the outputs, which only the optimised graph always knows.
fn outputs(names: &[String], graph: &TypedModel) -> Result<Vec<TensorSpec>, Failure> {
    names
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let fact = graph.output_fact(index).map_err(Failure::internal)?;
            let dims = fact
                .shape
                .iter()
                .map(|dim| dim.to_i64().ok().and_then(|size| usize::try_from(size).ok()))
                .collect();
            Ok(TensorSpec {
                name: name.clone(),
                dtype: from_tract(name, fact.datum_type)?,
                dims,
            })
        })
        .collect()
}

fn spec(name: &str, fact: &InferenceFact) -> Result<TensorSpec, Failure> {
    let datum = fact.datum_type.concretize().ok_or_else(|| {
        Failure::new(
            Code::InvalidArgument,
            format!("tensor `{name}` does not declare its element type"),
        )
    })?;
    let dims = fact
        .shape
        .dims()
        .map(|dim| {
            dim.concretize()
                .and_then(|dim| dim.to_i64().ok())
                .and_then(|size| usize::try_from(size).ok())
        })
        .collect();
    Ok(TensorSpec {
        name: name.to_owned(),
        dtype: from_tract(name, datum)?,
        dims,
    })
}

struct TractModel {
    plan: Arc<TypedRunnableModel>,
    signature: Signature,
}

impl Model for TractModel {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn instance(&self, device: &Device) -> Result<Box<dyn Instance>, Failure> {
        if *device != Device::Cpu {
            let text = format!("the tract engine runs on the cpu, not on {device}; choose another engine or device");
            return Err(Failure::new(Code::Unavailable, text));
        }
        Ok(Box::new(TractInstance::new(
            Arc::clone(&self.plan),
            self.signature.clone(),
        )?))
    }
}
