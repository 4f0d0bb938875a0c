//! Opening the library, and loading models.

use crate::config::{Fallback, Options, PluginConfig, Provider, SCHEMA, section};
use crate::graph::Source;
use crate::instance::{Held, OrtInstance};
use crate::library;
use crate::runtime::Runtime;
use crate::session::{self, Target};
use crate::shared::Shared;
use crate::tensors::spec;
use einthoven_plugin_sdk::{
    Code, DType, Device, Engine, EngineInfo, Failure, Instance, Model, ModelPackage, Setup, Signature,
};
use ort::environment::Environment;
use ort::session::Session;
use std::sync::{Arc, Mutex, PoisonError};

/// The engine: one opened library.
pub struct OnnxRuntimeEngine {
    runtime: Runtime,
}

impl OnnxRuntimeEngine {
    /// The environment of this process, of which there can be one: for benchmarks that run sessions beside the engine's.
    #[doc(hidden)]
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.runtime.environment
    }
}

impl Engine for OnnxRuntimeEngine {
    const INFO: EngineInfo = EngineInfo {
        name: "onnxruntime",
        version: env!("CARGO_PKG_VERSION"),
        formats: &["onnx"],
        dtypes: &DType::ALL,
        devices: &["cpu", "cuda"],
        config_schema: SCHEMA,
    };

    fn open(setup: &Setup<'_>) -> Result<Self, Failure> {
        let config: PluginConfig = section("the configuration of the engine onnxruntime", setup.config)?;
        let path = library::find(setup, &config)?;
        Ok(Self {
            runtime: Runtime::open(&path)?,
        })
    }

    fn runtime(&self) -> String {
        self.runtime.version.clone()
    }

    fn load(&self, package: &ModelPackage<'_>, config: &serde_json::Value) -> Result<Box<dyn Model>, Failure> {
        let options = Options::read(config)?;
        let wanted = options.provider.unwrap_or(Provider::Cpu);
        if options.fallback == Fallback::None && !session::built_with(wanted) {
            return Err(Failure::new(
                Code::Unavailable,
                format!(
                    "the model asks for `{}`, which ONNX Runtime {} in `{}` was built without; install a build for GPUs, \
                     or set `fallback` to `cpu`",
                    wanted.name(),
                    self.runtime.version,
                    self.runtime.path.display()
                ),
            ));
        }
        let source = Source::read(package, options.lifts())?;
        // On the processor, whatever the instances run on: it is always there and says the same about the graph.
        let first = session::make(&self.runtime.environment, &source, &options, Target::CPU)
            .map_err(|cause| session::refused(package.entry, &source.nodes, &cause))?;
        let signature = Signature {
            inputs: first.inputs().iter().map(spec).collect::<Result<_, _>>()?,
            outputs: first.outputs().iter().map(spec).collect::<Result<_, _>>()?,
        };
        let one_session = options.one_session();
        let on_gpus = [Provider::Cuda, Provider::TensorRt]
            .into_iter()
            .any(session::built_with);
        Ok(Box::new(OrtModel {
            runtime: self.runtime.clone(),
            entry: package.entry.to_owned(),
            source: (on_gpus || !one_session).then_some(source),
            one_session,
            options,
            signature: Arc::new(signature),
            processor: Mutex::new(Some(Arc::new(first))),
        }))
    }
}

struct OrtModel {
    runtime: Runtime,
    entry: String,
    /// As large as the weights: kept only where sessions may be made besides the one on the processor.
    source: Option<Source>,
    /// Whether all instances on the processor run on one.
    one_session: bool,
    options: Options,
    signature: Arc<Signature>,
    /// The session on the processor, beginning with the one that showed that the graph can run. None once instances are on
    /// a GPU.
    processor: Mutex<Option<Arc<Session>>>,
}

impl OrtModel {
    fn held(&self, target: Target) -> Result<Held, Failure> {
        let mut processor = self.processor.lock().unwrap_or_else(PoisonError::into_inner);
        if target != Target::CPU {
            let own = self.session(target)?;
            *processor = None;
            return Ok(Held::Own(own));
        }
        if !self.one_session {
            return match processor.take().and_then(Arc::into_inner) {
                Some(first) => Ok(Held::Own(first)),
                None => self.session(target).map(Held::Own),
            };
        }
        let session = match &*processor {
            Some(session) => Arc::clone(session),
            None => Arc::clone(processor.insert(Arc::new(self.session(target)?))),
        };
        Shared::new(session, &self.signature).map(Held::Shared)
    }

    fn session(&self, target: Target) -> Result<Session, Failure> {
        let unavailable = |cause: &str| {
            Failure::new(
                Code::Unavailable,
                format!(
                    "`{}` on cuda:{} cannot be had from ONNX Runtime {} in `{}`: {cause}; choose another device, or set \
                     `fallback` to `cpu`",
                    target.provider.name(),
                    target.device,
                    self.runtime.version,
                    self.runtime.path.display()
                ),
            )
        };
        let Some(source) = &self.source else {
            return Err(unavailable("it was built without providers for GPUs"));
        };
        session::make(&self.runtime.environment, source, &self.options, target).map_err(|cause| {
            if target == Target::CPU {
                return session::refused(&self.entry, &source.nodes, &cause);
            }
            unavailable(cause.message())
        })
    }
}

impl Model for OrtModel {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn instance(&self, device: &Device) -> Result<Box<dyn Instance>, Failure> {
        let wanted = Target {
            provider: self.options.provider_on(device)?,
            device: if let Device::Cuda(id) = device { *id } else { 0 },
        };
        let (held, target) = match self.held(wanted) {
            Err(_) if wanted != Target::CPU && self.options.fallback == Fallback::Cpu => {
                (self.held(Target::CPU)?, Target::CPU)
            }
            made => (made?, wanted),
        };
        let instance = OrtInstance::new(held, target, &self.options, Arc::clone(&self.signature))?;
        Ok(Box::new(instance))
    }
}
