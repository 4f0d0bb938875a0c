//! The models this process serves: the embedded ones and those it was given folders of.

use crate::engines::Plugins;
use anyhow::{Context, bail};
use einthoven_classify::{Choice, EngineTable, Manifest, PackageFile, ServedModel, Serving, measure};
use einthoven_plugin_host::Readers;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

/// All served models, by name.
pub(crate) struct Models {
    plugins: Plugins,
    served: Vec<Slot>,
    /// Where tables of engines are kept; `None` where nothing is.
    tables: Option<PathBuf>,
}

/// One model: the version that answers now, and what every engine makes of it.
struct Slot {
    package: Package,
    model: RwLock<Arc<ServedModel>>,
    table: RwLock<Option<Arc<EngineTable>>>,
}

/// The files of a version, in memory.
struct Package {
    files: Vec<(String, Vec<u8>)>,
}

impl Models {
    /// Loads what the binary carries, on the first engine that takes it.
    ///
    /// # Errors
    /// When a model does not load or no longer gives its golden outputs.
    pub(crate) fn embedded(plugins: Plugins) -> anyhow::Result<Self> {
        let mut models = Self {
            plugins,
            served: Vec::new(),
            tables: None,
        };
        for embedded in einthoven_models::embedded() {
            let files = embedded.files().map(|(name, bytes)| (name.to_owned(), bytes.to_vec()));
            let package = Package { files: files.collect() };
            let first = package.first_choice(&models.plugins.serving)?;
            let slot = package
                .serve(&models.plugins.serving, first, None)
                .with_context(|| format!("embedded model `{}`", embedded.name))?;
            models.served.push(slot);
        }
        Ok(models)
    }

    /// Keeps tables of engines in this folder, and takes those that are there already.
    pub(crate) fn keep_tables(&mut self, folder: PathBuf) {
        let machine = self.plugins.serving.machine();
        for slot in &self.served {
            if let Some(table) = EngineTable::kept(&folder, slot.model().digest(), &machine) {
                slot.take(&self.plugins.serving, table);
            }
        }
        self.tables = Some(folder);
    }

    /// Adds the model of a folder: a manifest, golden outputs and the network in one or several formats. It is run on every
    /// engine in child processes first, unless a table says what became of that on this machine.
    ///
    /// # Errors
    /// Which file is missing or wrong, or why no engine runs it.
    pub(crate) fn add_folder(&mut self, folder: &Path) -> anyhow::Result<()> {
        let package = Package::read(folder)?;
        let serving = &self.plugins.serving;
        let name = package.manifest()?.name;
        if self.served.iter().any(|slot| slot.model().manifest().name == name) {
            bail!(
                "there is a model `{name}` already; give the one in {} another name",
                folder.display()
            );
        }
        let digest = einthoven_classify::digest(&package.parts());
        let kept = self
            .tables
            .as_deref()
            .and_then(|tables| EngineTable::kept(tables, &digest, &serving.machine()));
        let table = match kept {
            Some(table) => table,
            None => self.measured(&package)?,
        };
        let Some(row) = table.fastest() else {
            let reason = |row: &einthoven_classify::EngineRow| {
                format!(
                    "{} with {}: {}",
                    row.engine,
                    row.file,
                    row.reason.as_deref().unwrap_or("no reason")
                )
            };
            let reasons: Vec<_> = table.engines.iter().map(reason).collect();
            let formats = "no engine here loads any of its files";
            bail!(
                "no engine runs `{name}`: {}",
                if reasons.is_empty() {
                    formats.to_owned()
                } else {
                    reasons.join("; ")
                }
            );
        };
        let choice = Choice::of(row);
        self.served.push(package.serve(serving, choice, Some(table))?);
        Ok(())
    }

    /// Runs every model without a table on every engine, and goes over to the fastest. Takes seconds; requests go on.
    pub(crate) fn measure_missing(&self) {
        for slot in &self.served {
            if slot.table().is_some() {
                continue;
            }
            match self.measured(&slot.package) {
                Ok(table) => slot.take(&self.plugins.serving, table),
                Err(cause) => tracing::error!("model `{}` was not measured: {cause:#}", slot.model().manifest().name),
            }
        }
    }

    fn measured(&self, package: &Package) -> anyhow::Result<EngineTable> {
        let table = measure(&self.plugins.serving, &package.parts())?;
        if let Some(folder) = &self.tables
            && let Err(cause) = table.keep(folder)
        {
            tracing::warn!("cannot keep the table of engines in {}: {cause}", folder.display());
        }
        Ok(table)
    }

    /// The readers that came as plugins.
    pub(crate) fn readers(&self) -> &Readers {
        &self.plugins.readers
    }

    /// The engines and readers of this process.
    pub(crate) fn plugins(&self) -> &Plugins {
        &self.plugins
    }

    /// The model of that name.
    pub(crate) fn by_name(&self, name: &str) -> Option<Arc<ServedModel>> {
        self.iter().find(|model| model.manifest().name == name)
    }

    /// The first model whose recipe is that.
    pub(crate) fn by_recipe(&self, recipe: &str) -> Option<Arc<ServedModel>> {
        self.iter().find(|model| model.manifest().recipe == recipe)
    }

    /// What every engine made of the model of that name; `None` in the outer place where there is no such model, in the
    /// inner one while it is not measured yet.
    pub(crate) fn table(&self, name: &str) -> Option<Option<Arc<EngineTable>>> {
        let slot = self.served.iter().find(|slot| slot.model().manifest().name == name)?;
        Some(slot.table())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Arc<ServedModel>> + '_ {
        self.served.iter().map(Slot::model)
    }
}

impl Slot {
    fn model(&self) -> Arc<ServedModel> {
        Arc::clone(&self.model.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn table(&self) -> Option<Arc<EngineTable>> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Goes over to the fastest engine of a table. Requests that have the old one keep it until they are done.
    fn take(&self, serving: &Serving, table: EngineTable) {
        let now = self.model();
        if let Some(choice) = table.fastest().map(Choice::of)
            && (now.engine(), now.file()) != (choice.engine.as_str(), choice.file.as_str())
        {
            let name = &now.manifest().name;
            match ServedModel::load(serving, &self.package.parts(), choice) {
                Ok(model) => {
                    tracing::info!("model `{name}` now runs on {} with {}", model.engine(), model.file());
                    *self.model.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(model);
                }
                Err(cause) => tracing::error!("model `{name}` stays on {}: {cause}", now.engine()),
            }
        }
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(table));
    }
}

impl Package {
    fn read(folder: &Path) -> anyhow::Result<Self> {
        let unreadable = || format!("cannot read the model folder {}", folder.display());
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).with_context(unreadable)? {
            let entry = entry.with_context(unreadable)?;
            // A link could lead anywhere; a package is its own files.
            if entry.file_type().with_context(unreadable)?.is_file() {
                let bytes = std::fs::read(entry.path()).with_context(unreadable)?;
                files.push((entry.file_name().to_string_lossy().into_owned(), bytes));
            }
        }
        files.sort();
        for needed in ["manifest.json", "golden.json"] {
            if !files.iter().any(|(name, _)| name == needed) {
                bail!(
                    "the model folder {} has no `{needed}`; docs/engines.md says what it holds",
                    folder.display()
                );
            }
        }
        Ok(Self { files })
    }

    fn parts(&self) -> Vec<PackageFile<'_>> {
        self.files
            .iter()
            .map(|(name, bytes)| PackageFile { name, bytes })
            .collect()
    }

    fn manifest(&self) -> anyhow::Result<Manifest> {
        let manifest = self.files.iter().find(|(name, _)| name == "manifest.json");
        let bytes = manifest.map_or(&[][..], |(_, bytes)| bytes.as_slice());
        serde_json::from_slice(bytes).context("the manifest of the model")
    }

    fn first_choice(&self, serving: &Serving) -> anyhow::Result<Choice> {
        let manifest = self.manifest()?;
        Choice::first(&serving.engines, &manifest, &self.parts())
            .with_context(|| format!("no engine loads any file of model `{}`", manifest.name))
    }

    fn serve(self, serving: &Serving, choice: Choice, table: Option<EngineTable>) -> anyhow::Result<Slot> {
        let model = ServedModel::load(serving, &self.parts(), choice)?;
        Ok(Slot {
            package: self,
            model: RwLock::new(Arc::new(model)),
            table: RwLock::new(table.map(Arc::new)),
        })
    }
}
