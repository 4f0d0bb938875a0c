//! What a version is loaded with, by which engine and file, and why it cannot be.

use super::instance::{Instance, Isolation, Origin};
use super::manifest::{EngineWish, Manifest, PackageFile};
use super::table::EngineRow;
use einthoven_plugin_host::{Device, Engines, Failure, ModelFile, ModelPackage};
use einthoven_plugin_worker::{Cancel, Crashes, LoadRequest, Spawner, Worker};
use std::sync::Arc;

/// Why a version does not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The manifest is not what it should be.
    #[error("the manifest of the model: {0}")]
    Manifest(#[from] serde_json::Error),
    /// The golden outputs are not what they should be.
    #[error("`golden.json` of the model, its inputs with the outputs they gave: {0}")]
    GoldenFile(serde_json::Error),
    /// The engine refused the model.
    #[error("model `{name}` on engine `{engine}`: {cause}")]
    Engine {
        /// The model.
        name: String,
        /// The engine.
        engine: String,
        /// The engine's words.
        cause: Failure,
    },
    /// The file's inputs or outputs are not the manifest's.
    #[error("model `{name}`: {cause}")]
    Signature {
        /// The model.
        name: String,
        /// Both, side by side.
        cause: Failure,
    },
    /// Its recipe is not known.
    #[error("model `{name}`: this build has no recipe `{recipe}`")]
    Recipe {
        /// The model.
        name: String,
        /// In the manifest.
        recipe: String,
    },
    /// Nobody wants it any more.
    #[error("the trial was given up")]
    GivenUp,
    /// It computes something else than it did when it was made.
    #[error("model `{name}`: golden row {row} differs by {difference} from what the model gave when it was made")]
    Golden {
        /// The model.
        name: String,
        /// Row of the golden batch.
        row: usize,
        /// Largest absolute difference.
        difference: f32,
    },
}

/// What versions are loaded with: the engines of this process, and how to start children that have the same.
#[derive(Clone)]
pub struct Serving {
    /// Linked in or loaded.
    pub engines: Engines,
    /// Children for trials and isolated models.
    pub workers: Arc<Spawner>,
}

impl Serving {
    /// The same, with children that `cancel` ends.
    #[must_use]
    pub fn until(&self, cancel: Cancel) -> Self {
        let mut workers = Spawner::clone(&self.workers);
        workers.cancel = Some(cancel);
        Self {
            engines: self.engines.clone(),
            workers: Arc::new(workers),
        }
    }

    /// Whether its children were ended.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.workers.cancel.as_ref().is_some_and(Cancel::is_cancelled)
    }

    /// Processor, cores and engines: what measured times hold for.
    #[must_use]
    pub fn machine(&self) -> String {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let processor = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor = processor
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
            .map_or(std::env::consts::ARCH, |(_, name)| name.trim());
        let mut text = format!("{processor}, {cores} cores, einthoven {}", env!("CARGO_PKG_VERSION"));
        for state in self.engines.states() {
            text.push_str(&format!(", {} {} {}", state.name, state.version, state.runtime));
        }
        text
    }
}

/// The engine and file a version is loaded with.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Name of the engine.
    pub engine: String,
    /// File in the package.
    pub file: String,
    /// How far its outputs may be from the golden ones.
    pub tolerance: f32,
}

impl Choice {
    /// What a row of a table stands for.
    #[must_use]
    pub fn of(row: &EngineRow) -> Self {
        Self {
            engine: row.engine.clone(),
            file: row.file.clone(),
            tolerance: row.tolerance,
        }
    }

    /// What a manifest asks for by name, or the first engine in the table that takes one of its files.
    #[must_use]
    pub fn first(engines: &Engines, manifest: &Manifest, files: &[PackageFile<'_>]) -> Option<Self> {
        manifest.variants(files).into_iter().find_map(|variant| {
            let format = variant.name.rsplit('.').next()?.to_owned();
            let mut accepting = engines.accepting(&format);
            let engine = match &manifest.engine {
                EngineWish::Auto => accepting.next()?,
                EngineWish::Named { name, .. } => accepting.find(|engine| engine == name)?,
            };
            Some(Self {
                engine: engine.to_owned(),
                file: variant.name,
                tolerance: variant.tolerance,
            })
        })
    }
}

/// Where its instances come from and the device they are for; of a version in a child process the first one, too.
pub(super) fn origin(
    serving: &Serving,
    manifest: &Manifest,
    files: &[PackageFile<'_>],
    choice: &Choice,
) -> Result<(Origin, Device, Option<Instance>), Failure> {
    let device: Device = manifest.device.parse()?;
    if manifest.isolation == Isolation::Worker {
        let request = Arc::new(load_request(manifest, files, &choice.engine, &choice.file)?);
        let crashes = Crashes::default();
        let first = Worker::start(Arc::clone(&serving.workers), Arc::clone(&request), crashes.clone())?;
        let origin = Origin::Worker {
            signature: first.opened().signature.clone(),
            spawner: Arc::clone(&serving.workers),
            request,
            crashes,
        };
        return Ok((origin, device, Some(Instance::Worker(first))));
    }
    let package: Vec<_> = files
        .iter()
        .map(|file| ModelFile {
            name: file.name,
            bytes: file.bytes,
        })
        .collect();
    let package = ModelPackage {
        files: &package,
        entry: &choice.file,
        directory: None,
    };
    let model = serving
        .engines
        .load(&choice.engine, &package, &manifest.engine.config())?;
    Ok((Origin::InProcess(model), device, None))
}

/// A version as a child is asked to load it.
pub(super) fn load_request(
    manifest: &Manifest,
    files: &[PackageFile<'_>],
    engine: &str,
    file: &str,
) -> Result<LoadRequest, Failure> {
    Ok(LoadRequest {
        engine: engine.to_owned(),
        config: manifest.engine.config(),
        device: manifest.device.parse()?,
        entry: file.to_owned(),
        files: files
            .iter()
            .map(|file| (file.name.to_owned(), file.bytes.to_vec()))
            .collect(),
        directory: None,
    })
}

/// A file's content; nothing where the package lacks it.
pub(super) fn content<'a>(files: &[PackageFile<'a>], name: &str) -> &'a [u8] {
    files
        .iter()
        .find(|file| file.name == name)
        .map_or(&[], |file| file.bytes)
}
