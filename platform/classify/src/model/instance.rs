//! One copy of a loaded model: in this process or in a child.

use super::golden::Golden;
use einthoven_dispatch as dispatch;
use einthoven_plugin_host::{Device, Failure, LoadedModel, Outputs, Runner, Signature, TensorView, Until};
use einthoven_plugin_worker::{Crashes, LoadRequest, Spawner, Worker};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Where a model's instances live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// In the server: fastest; a fault in the engine's native code ends the server.
    #[default]
    InProcess,
    /// Each in a child process: a fault ends only the child, which is started again.
    Worker,
}

/// What makes instances.
pub(super) enum Origin {
    InProcess(LoadedModel),
    Worker {
        spawner: Arc<Spawner>,
        request: Arc<LoadRequest>,
        crashes: Crashes,
        signature: Signature,
    },
}

/// What makes instances, and has each run the batches that it is to be warm for.
pub(super) struct Source {
    pub(super) origin: Origin,
    pub(super) device: Device,
    /// Inputs of each size.
    pub(super) warm_up: Vec<Golden>,
}

/// One of them.
pub(super) enum Instance {
    InProcess(Runner),
    Worker(Worker),
}

impl Origin {
    pub(super) fn signature(&self) -> &Signature {
        match self {
            Self::InProcess(model) => model.signature(),
            Self::Worker { signature, .. } => signature,
        }
    }

    pub(super) fn instance(&self, device: &Device) -> Result<Instance, Failure> {
        match self {
            Self::InProcess(model) => model.runner(device).map(Instance::InProcess),
            Self::Worker {
                spawner,
                request,
                crashes,
                ..
            } => Worker::start(Arc::clone(spawner), Arc::clone(request), crashes.clone()).map(Instance::Worker),
        }
    }
}

impl Source {
    /// Runs the batches that an instance is to be warm for.
    pub(super) fn warm(&self, instance: &mut dyn dispatch::Instance) -> Result<(), Failure> {
        let mut run = |golden: &Golden| instance.run(&golden.inputs()?, &Until::default()).map(drop);
        self.warm_up.iter().try_for_each(&mut run)
    }
}

impl dispatch::Source for Source {
    fn instance(&self) -> Result<Box<dyn dispatch::Instance>, Failure> {
        let mut instance = self.origin.instance(&self.device)?;
        self.warm(&mut instance)?;
        Ok(Box::new(instance))
    }
}

impl dispatch::Instance for Instance {
    fn run(&mut self, inputs: &[TensorView<'_>], until: &Until) -> Result<Outputs, Failure> {
        match self {
            Self::InProcess(runner) => runner.run(inputs, until),
            Self::Worker(worker) => worker.run(inputs, until),
        }
    }

    fn provider(&self) -> &str {
        match self {
            Self::InProcess(runner) => runner.provider(),
            Self::Worker(worker) => &worker.opened().provider,
        }
    }

    fn usable(&self) -> bool {
        match self {
            Self::InProcess(runner) => runner.usable(),
            // A worker replaces its own child.
            Self::Worker(_) => true,
        }
    }

    fn in_process(&self) -> bool {
        matches!(self, Self::InProcess(_))
    }
}
