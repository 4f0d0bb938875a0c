//! One copy of a loaded model: in this process or in a child.

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
pub(super) enum Source {
    InProcess(LoadedModel),
    Worker {
        spawner: Arc<Spawner>,
        request: Arc<LoadRequest>,
        crashes: Crashes,
        signature: Signature,
    },
}

/// One of them.
pub(super) enum Instance {
    InProcess(Runner),
    Worker(Worker),
}

impl Source {
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

impl Instance {
    pub(super) fn run(&mut self, inputs: &[TensorView<'_>]) -> Result<Outputs, Failure> {
        match self {
            Self::InProcess(runner) => runner.run(inputs, &Until::default()),
            Self::Worker(worker) => worker.run(inputs, &Until::default()),
        }
    }

    /// What really computes, in the engine's words.
    pub(super) fn provider(&self) -> &str {
        match self {
            Self::InProcess(runner) => runner.provider(),
            Self::Worker(worker) => &worker.opened().provider,
        }
    }

    /// False when another must be made in its place.
    pub(super) fn usable(&self) -> bool {
        match self {
            Self::InProcess(runner) => runner.usable(),
            // A worker replaces its own child.
            Self::Worker(_) => true,
        }
    }
}
