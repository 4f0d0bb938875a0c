//! The models this process serves, the embedded ones, loaded on the linked-in engine; and the readers beside our own.

use anyhow::Context;
use einthoven_classify::{PackageFile, ServedModel};
use einthoven_plugin_host::{Engines, Plugin, Readers};
use einthoven_reader_edf::EdfReader;

/// All served models, by name.
pub(crate) struct Models {
    served: Vec<ServedModel>,
    readers: Readers,
}

impl Models {
    /// Loads what the binary carries.
    ///
    /// # Errors
    /// When a model does not load or no longer gives its golden outputs.
    pub(crate) fn embedded() -> anyhow::Result<Self> {
        let mut engines = Engines::default();
        let tract = Plugin::linked(Some(einthoven_backend_tract::einthoven_plugin_entry_v1))?;
        engines.add(tract, &serde_json::json!({}))?;
        let served = einthoven_models::embedded()
            .iter()
            .map(|model| {
                let files = [
                    PackageFile {
                        name: "manifest.json",
                        bytes: model.manifest_json.as_bytes(),
                    },
                    PackageFile {
                        name: "model.onnx",
                        bytes: model.onnx,
                    },
                    PackageFile {
                        name: "golden.json",
                        bytes: model.golden_json.as_bytes(),
                    },
                ];
                ServedModel::load(&engines, "tract", &files).with_context(|| format!("embedded model `{}`", model.name))
            })
            .collect::<anyhow::Result<_>>()?;
        let mut readers = Readers::default();
        readers.add(Plugin::linked_reader::<EdfReader>()?)?;
        Ok(Self { served, readers })
    }

    /// The readers that came as plugins.
    pub(crate) fn readers(&self) -> &Readers {
        &self.readers
    }

    /// The model of that name.
    pub(crate) fn by_name(&self, name: &str) -> Option<&ServedModel> {
        self.served.iter().find(|model| model.manifest().name == name)
    }

    /// The first model whose recipe is that.
    pub(crate) fn by_recipe(&self, recipe: &str) -> Option<&ServedModel> {
        self.served.iter().find(|model| model.manifest().recipe == recipe)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &ServedModel> {
        self.served.iter()
    }
}
