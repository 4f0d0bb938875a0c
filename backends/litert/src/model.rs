//! A loaded model: what it takes and gives, and how it is brought to run any batch.

use crate::instance::LiteRtInstance;
use crate::operators;
use crate::probe::{self, Batching};
use crate::runtime::{Environment, Graph};
use crate::session::Session;
use einthoven_plugin_sdk::{Code, Device, Failure, Instance, Model, Signature, TensorSpec};
use serde::Deserialize;
use std::collections::HashSet;
use std::sync::Arc;

/// Threads of one instance above which a configuration is refused.
const MOST_THREADS: u32 = 256;

/// A model's engine section.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    threads: u32,
    signature: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            threads: 1,
            signature: None,
        }
    }
}

/// A graph with all that an instance of it needs.
pub(crate) struct LiteRtModel {
    graph: Arc<Graph>,
    index: usize,
    threads: u32,
    signature: Arc<Signature>,
    batching: Batching,
}

impl LiteRtModel {
    pub(crate) fn load(environment: &Arc<Environment>, bytes: &[u8], config: &Config) -> Result<Self, Failure> {
        if !(1..=MOST_THREADS).contains(&config.threads) {
            return Err(Failure::invalid(format!(
                "`threads` is {}, it must be 1 to {MOST_THREADS}",
                config.threads
            )));
        }
        let graph = Arc::new(Graph::read(environment, bytes)?);
        operators::check(&graph.operators()?)?;
        let index = choose(&graph.signatures()?, config.signature.as_deref())?;
        let declared = Signature {
            inputs: named(graph.inputs(index)?, "input")?,
            outputs: named(graph.outputs(index)?, "output")?,
        };
        if declared.inputs.is_empty() || declared.outputs.is_empty() {
            return Err(Failure::unsupported("the model has no inputs or no outputs"));
        }
        let (signature, batching) = probe::batching(&graph, index, declared)?;
        Ok(Self {
            graph,
            index,
            threads: config.threads,
            signature: Arc::new(signature),
            batching,
        })
    }
}

impl Model for LiteRtModel {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn instance(&self, device: &Device) -> Result<Box<dyn Instance>, Failure> {
        if *device != Device::Cpu {
            let text = format!("the litert engine runs on the cpu, not on {device}; choose another engine or device");
            return Err(Failure::new(Code::Unavailable, text));
        }
        let session = Session::new(&self.graph, self.index, self.threads, Arc::clone(&self.signature))?;
        Ok(Box::new(LiteRtInstance::new(
            session,
            Arc::clone(&self.signature),
            self.batching,
        )))
    }
}

fn choose(keys: &[String], wanted: Option<&str>) -> Result<usize, Failure> {
    let Some(wanted) = wanted else {
        return if keys.is_empty() {
            Err(Failure::unsupported("the model has no signature"))
        } else {
            Ok(0)
        };
    };
    keys.iter().position(|key| key == wanted).ok_or_else(|| {
        let text = format!("there is no signature `{wanted}`; the file has: {}", keys.join(", "));
        Failure::new(Code::NotFound, text)
    })
}

/// Names tensors that have no name by their place, and refuses two of one name.
fn named(mut specs: Vec<TensorSpec>, kind: &str) -> Result<Vec<TensorSpec>, Failure> {
    let mut seen = HashSet::new();
    for (index, spec) in specs.iter_mut().enumerate() {
        if spec.name.is_empty() {
            spec.name = format!("{kind}_{index}");
        }
        if !seen.insert(spec.name.clone()) {
            return Err(Failure::unsupported(format!("two {kind}s are called `{}`", spec.name)));
        }
    }
    Ok(specs)
}
