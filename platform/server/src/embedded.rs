//! The models that the binary carries: as versions for the registry, and loaded alone for commands without one.

use crate::engines::Plugins;
use crate::input::{self, Answer, Request, default_model};
use anyhow::Context;
use einthoven_classify::{Choice, Manifest, PackageFile, ServedModel, Serving};
use einthoven_models::EmbeddedModel;
use einthoven_onboard::EmbeddedVersion;
use std::borrow::Cow;

fn files(embedded: &'static EmbeddedModel) -> Vec<PackageFile<'static>> {
    embedded
        .files()
        .map(|(name, bytes)| PackageFile { name, bytes })
        .collect()
}

fn first_choice(serving: &Serving, embedded: &'static EmbeddedModel) -> anyhow::Result<(Manifest, Choice)> {
    let manifest: Manifest = serde_json::from_str(embedded.manifest_json)?;
    let choice = Choice::first(&serving.engines, &manifest, &files(embedded))
        .with_context(|| format!("no engine loads any file of model `{}`", embedded.name))?;
    Ok((manifest, choice))
}

/// Every embedded model as a version to be.
pub(crate) fn versions(serving: &Serving) -> anyhow::Result<Vec<EmbeddedVersion>> {
    let each = |embedded: &'static EmbeddedModel| {
        let (manifest, choice) = first_choice(serving, embedded)?;
        Ok(EmbeddedVersion {
            model: embedded.name.parse()?,
            version: manifest.version.parse()?,
            engine: choice.engine,
            files: embedded.files().map(|(name, bytes)| (name.to_owned(), bytes)).collect(),
        })
    };
    einthoven_models::embedded().iter().map(each).collect()
}

/// Embedded models, loaded.
pub(crate) struct EmbeddedModels {
    pub(crate) plugins: Plugins,
    models: Vec<ServedModel>,
}

impl EmbeddedModels {
    /// All of them, on the engines that are linked in.
    pub(crate) fn load() -> anyhow::Result<Self> {
        let plugins = Plugins::open(&[], serde_json::Map::new())?;
        let load = |embedded: &'static EmbeddedModel| {
            let (_, choice) = first_choice(&plugins.serving, embedded)?;
            ServedModel::load(&plugins.serving, &files(embedded), choice, None)
                .with_context(|| format!("embedded model `{}`", embedded.name))
        };
        let models = einthoven_models::embedded()
            .iter()
            .map(load)
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { plugins, models })
    }

    /// Reads and classifies, by the model asked for or the one for what was read.
    pub(crate) fn answer(&self, files: Vec<(String, Cow<'_, [u8]>)>, request: &Request) -> anyhow::Result<Answer> {
        let reading = input::read(files, request, &self.plugins.readers)?;
        let name = request
            .model
            .as_deref()
            .unwrap_or_else(|| default_model(&reading.input));
        let model = self.by_name(name)?;
        Ok(input::answer(reading, model, request.lead.clone())?)
    }

    /// The model of that name.
    fn by_name(&self, name: &str) -> anyhow::Result<&ServedModel> {
        let found = self.models.iter().find(|model| model.manifest().name == name);
        found.with_context(|| {
            let there: Vec<_> = self.models.iter().map(|model| model.manifest().name.as_str()).collect();
            format!(
                "there is no model `{name}` in this binary; it has: {}",
                there.join(", ")
            )
        })
    }
}
