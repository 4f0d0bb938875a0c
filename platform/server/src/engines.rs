//! The engines and readers of this process: those linked in, and the plugins it was given.

use einthoven_backend_tract::TractEngine;
use einthoven_classify::Serving;
use einthoven_plugin_host::plugin::Sidecar;
use einthoven_plugin_host::{Engines, Failure, Plugin, Readers};
use einthoven_plugin_worker::{EngineSetup, Limits, Spawner};
use einthoven_reader_edf::EdfReader;
use schemars::JsonSchema;
use serde::Serialize;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What this process can run and read.
pub(crate) struct Plugins {
    pub(crate) serving: Serving,
    pub(crate) readers: Readers,
    /// Sidecars that were found and not used.
    pub(crate) refused: Vec<Refused>,
}

/// A plugin that is not used, and why.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "RefusedPlugin")]
pub(crate) struct Refused {
    pub(crate) path: PathBuf,
    pub(crate) reason: String,
}

impl Plugins {
    /// Opens what is linked in and what the folders hold. A plugin that is refused is logged, shown, and not used.
    ///
    /// # Errors
    /// When a folder cannot be read, or what is linked in does not open.
    pub(crate) fn open(
        folders: &[PathBuf],
        sections: serde_json::Map<String, serde_json::Value>,
    ) -> anyhow::Result<Self> {
        let setup = EngineSetup {
            plugins: sidecars(folders)?,
            sections,
        };
        let mut refused = Vec::new();
        let mut readers = linked_readers()?;
        let mut engines = linked_engines(&setup)?;
        for path in &setup.plugins {
            if let Err(cause) = add(path, &setup, &mut engines, &mut readers) {
                tracing::error!("the plugin {} is not used: {cause}", path.display());
                refused.push(Refused {
                    path: path.clone(),
                    reason: cause.to_string(),
                });
            }
        }
        let workers = Arc::new(Spawner {
            program: PathBuf::from("/proc/self/exe"),
            arguments: vec![OsString::from("worker")],
            setup,
            limits: Limits::default(),
            cancel: None,
        });
        Ok(Self {
            serving: Serving { engines, workers },
            readers,
            refused,
        })
    }
}

/// The one engine that a child process is asked for, so that it opens nothing it does not need.
///
/// # Errors
/// Why that engine cannot be had.
pub(crate) fn for_worker(setup: &EngineSetup, engine: &str) -> Result<Engines, Failure> {
    let mut engines = linked_engines(setup).map_err(Failure::internal)?;
    for path in &setup.plugins {
        if Sidecar::read(path).is_ok_and(|sidecar| sidecar.name == engine && sidecar.kind == "engine") {
            add(path, setup, &mut engines, &mut Readers::default()).map_err(Failure::internal)?;
        }
    }
    Ok(engines)
}

fn linked_engines(setup: &EngineSetup) -> anyhow::Result<Engines> {
    let mut engines = Engines::default();
    let tract = Plugin::linked_engine::<TractEngine>()?;
    engines.add(tract, &section(setup, "tract"))?;
    Ok(engines)
}

fn linked_readers() -> anyhow::Result<Readers> {
    let mut readers = Readers::default();
    readers.add(Plugin::linked_reader::<EdfReader>()?)?;
    Ok(readers)
}

fn add(path: &Path, setup: &EngineSetup, engines: &mut Engines, readers: &mut Readers) -> anyhow::Result<()> {
    let plugin = Plugin::loaded(path)?;
    let (name, section) = (plugin.name.clone(), section(setup, &plugin.name));
    if plugin.kind() == "engine" {
        engines.add(plugin, &section)?;
    } else {
        readers.add(plugin)?;
    }
    tracing::info!("plugin {name} from {}", path.display());
    Ok(())
}

fn section(setup: &EngineSetup, engine: &str) -> serde_json::Value {
    setup
        .sections
        .get(engine)
        .cloned()
        .unwrap_or_else(|| serde_json::json!({}))
}

/// All sidecars of the folders, in the order of their names.
fn sidecars(folders: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for folder in folders {
        let entries = std::fs::read_dir(folder)
            .map_err(|cause| anyhow::anyhow!("cannot read the plugin folder {}: {cause}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.to_string_lossy().ends_with(".plugin.toml") {
                found.push(std::path::absolute(path)?);
            }
        }
    }
    found.sort();
    Ok(found)
}
