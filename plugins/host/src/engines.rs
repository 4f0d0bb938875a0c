//! The table of engines, by name.

use crate::runner::Runner;
use einthoven_plugin_sdk::{Code, Device, Engine, EngineInfo, Failure, Model, ModelPackage, Signature};
use std::sync::Arc;

/// All engines of this process.
#[derive(Clone, Default)]
pub struct Engines {
    engines: Vec<Arc<dyn Engine>>,
}

impl Engines {
    /// Adds an engine that is linked into this binary.
    #[must_use]
    pub fn with(mut self, engine: impl Engine + 'static) -> Self {
        self.engines.push(Arc::new(engine));
        self
    }

    /// What is there.
    pub fn infos(&self) -> impl Iterator<Item = EngineInfo> + '_ {
        self.engines.iter().map(|engine| engine.info())
    }

    /// Loads a model on the engine of that name.
    ///
    /// # Errors
    /// `NotFound` listing the engines there are, or the engine's own failure.
    pub fn load(
        &self,
        engine: &str,
        package: &ModelPackage<'_>,
        config: &serde_json::Value,
    ) -> Result<LoadedModel, Failure> {
        let Some(found) = self.engines.iter().find(|candidate| candidate.info().name == engine) else {
            let names: Vec<_> = self.infos().map(|info| info.name).collect();
            return Err(Failure::new(
                Code::NotFound,
                format!("there is no engine `{engine}`; this server has: {}", names.join(", ")),
            ));
        };
        let model = found.load(package, config)?;
        Ok(LoadedModel {
            engine: found.info(),
            model,
        })
    }
}

/// A model on its engine.
pub struct LoadedModel {
    engine: EngineInfo,
    model: Box<dyn Model>,
}

impl LoadedModel {
    /// The engine it is on.
    #[must_use]
    pub fn engine(&self) -> &EngineInfo {
        &self.engine
    }

    /// Inputs and outputs as the file declares them.
    #[must_use]
    pub fn signature(&self) -> &Signature {
        self.model.signature()
    }

    /// One more instance on a device.
    ///
    /// # Errors
    /// The engine's own, when the device cannot be had.
    pub fn runner(&self, device: &Device) -> Result<Runner, Failure> {
        Ok(Runner::new(self.model.instance(device)?, device.clone()))
    }
}
