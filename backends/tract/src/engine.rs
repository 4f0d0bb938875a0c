//! Loading: ONNX or NNEF bytes to optimised plans.

use crate::convert::{from_tract, to_tract};
use crate::instance::TractInstance;
use crate::plans::{Plans, guarded};
use einthoven_plugin_sdk::{
    Code, DType, Device, Engine, EngineInfo, Failure, Instance, Model, ModelPackage, Setup, Signature, TensorSpec,
};
use std::io::{Cursor, Read};
use tract_onnx::prelude::{Framework, InferenceModelExt, Tensor, ToDim, TypedModel};
use tract_onnx::tract_hir::infer::{Factoid, InferenceFact, InferenceModel};

/// The engine; it has no state of its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct TractEngine;

impl Engine for TractEngine {
    const INFO: EngineInfo = EngineInfo {
        name: "tract",
        version: env!("CARGO_PKG_VERSION"),
        formats: &["onnx", "nnef"],
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
        if package.entry.ends_with(".nnef") {
            nnef(package.entry, bytes)
        } else {
            onnx(package.entry, bytes)
        }
    }
}

/// A graph of the Neural Network Exchange Format: a tar archive, plain or compressed by gzip.
fn nnef(entry: &str, bytes: &[u8]) -> Result<Box<dyn Model>, Failure> {
    let graph = guarded(|| {
        let mut plain = Vec::new();
        let archive = if bytes.starts_with(&[0x1f, 0x8b]) {
            // A network larger than this would not be meant for a processor; a bomb is stopped here.
            let mut unpacked = flate2::read::GzDecoder::new(bytes).take(2 << 30);
            unpacked.read_to_end(&mut plain).map_err(|cause| cause.to_string())?;
            plain.as_slice()
        } else {
            bytes
        };
        let graph = tract_nnef::nnef().model_for_read(&mut Cursor::new(archive));
        graph
            .and_then(TypedModel::into_optimized)
            .map_err(|cause| format!("{cause:#}"))
    });
    let graph = graph.map_err(|cause| Failure::invalid(format!("`{entry}`: {cause}")))?;
    let inputs = (0..graph.inputs.len())
        .map(|index| {
            let fact = graph.input_fact(index).map_err(Failure::internal)?;
            let name = graph.node(graph.inputs[index].node).name.clone();
            Ok(TensorSpec {
                dtype: from_tract(&name, fact.datum_type)?,
                dims: fact.shape.iter().map(known).collect(),
                name,
            })
        })
        .collect::<Result<_, Failure>>()?;
    let names: Vec<_> = (0..graph.outputs.len())
        .map(|index| output_name(&graph, index))
        .collect();
    let signature = Signature {
        inputs,
        outputs: outputs(&names, &graph)?,
    };
    let plans = Plans::open(graph).map_err(|cause| Failure::unsupported(format!("`{entry}`: {cause}")))?;
    Ok(Box::new(TractModel { plans, signature }))
}

fn output_name(graph: &TypedModel, index: usize) -> String {
    let outlet = graph.outputs[index];
    graph
        .outlet_label(outlet)
        .unwrap_or(&graph.node(outlet.node).name)
        .to_owned()
}

/// An ONNX graph: with an open batch, or where an operator forbids that, with several fixed ones.
fn onnx(entry: &str, bytes: &[u8]) -> Result<Box<dyn Model>, Failure> {
    let (inputs, names, open) = onnx_graph(entry, bytes, None)?;
    let whole = |graph: TypedModel| {
        let signature = Signature {
            inputs: inputs.clone(),
            outputs: outputs(&names, &graph).map_err(|failure| failure.to_string())?,
        };
        let plans = Plans::open(graph)?;
        plans.try_zeros(|rows| zeros(&signature.inputs, rows))?;
        Ok(TractModel { plans, signature })
    };
    let refused = match open.and_then(whole) {
        Ok(model) => return Ok(Box::new(model)),
        Err(refused) => refused,
    };
    let lacking = |cause: &str| Failure::unsupported(format!("`{entry}`: {cause}"));
    if inputs.is_empty() || inputs.iter().any(|spec| spec.dims.first() != Some(&None)) {
        return Err(lacking(&refused));
    }
    let graph_of = |size| {
        onnx_graph(entry, bytes, Some(size))
            .map_err(|failure| failure.to_string())
            .and_then(|(_, _, graph)| graph)
    };
    let plans = Plans::fixed(graph_of).map_err(|cause| lacking(&cause))?;
    let mut outputs = outputs(&names, &graph_of(1).map_err(|cause| lacking(&cause))?)?;
    for spec in &mut outputs {
        if spec.dims.first() != Some(&Some(1)) {
            return Err(lacking(&format!("output `{}` has no batch, and {refused}", spec.name)));
        }
        spec.dims[0] = None;
    }
    plans
        .try_zeros(|rows| zeros(&inputs, rows))
        .map_err(|cause| lacking(&cause))?;
    let signature = Signature { inputs, outputs };
    Ok(Box::new(TractModel { plans, signature }))
}

type OnnxGraph = (Vec<TensorSpec>, Vec<String>, Result<TypedModel, String>);

/// Inputs, names of the outputs, and the optimised graph or why tract lacks something for it.
fn onnx_graph(entry: &str, bytes: &[u8], batch: Option<usize>) -> Result<OnnxGraph, Failure> {
    let parsed = guarded(|| {
        let graph = tract_onnx::onnx().model_for_read(&mut Cursor::new(bytes));
        graph.map_err(|cause| format!("{cause:#}"))
    });
    let mut graph = parsed.map_err(|cause| Failure::invalid(format!("`{entry}`: {cause}")))?;
    let inputs = set_batch(&mut graph, batch)?;
    let names = graph
        .outputs
        .iter()
        .map(|&outlet| {
            graph
                .outlet_label(outlet)
                .unwrap_or(&graph.node(outlet.node).name)
                .to_owned()
        })
        .collect();
    let optimised = guarded(|| graph.into_optimized().map_err(|cause| format!("{cause:#}")));
    Ok((inputs, names, optimised))
}

/// Makes the first dimension of every input that leaves it open one common symbol, or a size.
fn set_batch(graph: &mut InferenceModel, batch: Option<usize>) -> Result<Vec<TensorSpec>, Failure> {
    let symbol = graph.symbols.sym("N");
    let batch = batch.map_or_else(|| symbol.to_dim(), |size| size.to_dim());
    let mut specs = Vec::new();
    for index in 0..graph.inputs.len() {
        let fact = graph.input_fact(index).map_err(Failure::internal)?.clone();
        let name = graph.node(graph.inputs[index].node).name.clone();
        let spec = spec(&name, &fact)?;
        if spec.dims.first() == Some(&None) {
            let mut dims = vec![batch.clone()];
            for dim in &spec.dims[1..] {
                let size = dim.ok_or_else(|| {
                    let text = format!("{spec} leaves a dimension other than the batch open");
                    Failure::unsupported(text)
                })?;
                dims.push(size.to_dim());
            }
            graph
                .set_input_fact(index, InferenceFact::dt_shape(to_tract(spec.dtype), dims))
                .map_err(Failure::internal)?;
        }
        specs.push(spec);
    }
    Ok(specs)
}

/// Zeros for inputs of so many rows.
fn zeros(inputs: &[TensorSpec], rows: usize) -> Result<Vec<Tensor>, Failure> {
    let zero = |spec: &TensorSpec| {
        let dims: Vec<_> = spec.dims.iter().map(|dim| dim.unwrap_or(rows)).collect();
        Tensor::zero_dt(to_tract(spec.dtype), &dims).map_err(Failure::internal)
    };
    inputs.iter().map(zero).collect()
}

/// Types and shapes of the outputs, which only the optimised graph always knows.
fn outputs(names: &[String], graph: &TypedModel) -> Result<Vec<TensorSpec>, Failure> {
    names
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let fact = graph.output_fact(index).map_err(Failure::internal)?;
            Ok(TensorSpec {
                name: name.clone(),
                dtype: from_tract(name, fact.datum_type)?,
                dims: fact.shape.iter().map(known).collect(),
            })
        })
        .collect()
}

/// A dimension's size, where it is not open.
fn known(dim: &tract_onnx::prelude::TDim) -> Option<usize> {
    dim.to_i64().ok().and_then(|size| usize::try_from(size).ok())
}

fn spec(name: &str, fact: &InferenceFact) -> Result<TensorSpec, Failure> {
    let datum = fact
        .datum_type
        .concretize()
        .ok_or_else(|| Failure::invalid(format!("tensor `{name}` does not declare its element type")))?;
    let dims = fact
        .shape
        .dims()
        .map(|dim| dim.concretize().as_ref().and_then(known))
        .collect();
    Ok(TensorSpec {
        name: name.to_owned(),
        dtype: from_tract(name, datum)?,
        dims,
    })
}

struct TractModel {
    plans: Plans,
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
        Ok(Box::new(TractInstance::new(self.plans.clone(), self.signature.clone())))
    }
}
