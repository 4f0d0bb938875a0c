//! A version that serves: loaded, checked against its manifest, behind a queue of its own.

use super::golden::Golden;
use super::instance::{Instance, Isolation, Origin, Source};
use super::manifest::{EngineWish, Manifest, PackageFile, digest};
use super::table::EngineRow;
use crate::error::ClassifyError;
use einthoven_dispatch::{Call, DispatchError, Dispatcher, Done, Priority, Settings, Source as _, Statistics};
use einthoven_ecg::recipe::{self, Recipe};
use einthoven_plugin_host::{Device, Engines, Failure, ModelFile, ModelPackage, Signature};
use einthoven_plugin_worker::{Cancel, Crashes, LoadRequest, Spawner, Worker};
use std::num::NonZeroUsize;
use std::sync::Arc;

/// Instances on a graphics processor, where the manifest does not say: one computes while the other is given its batch.
const ON_GPU: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

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

/// What a version is called where it serves; its manifest may say otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAs {
    /// The model.
    pub model: String,
    /// The version within the model.
    pub version: String,
}

/// A version that serves.
pub struct ServedModel {
    manifest: Manifest,
    digest: String,
    choice: Choice,
    provider: String,
    device: Device,
    input_names: Vec<Arc<str>>,
    dispatcher: Dispatcher,
}

impl Serving {
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

impl ServedModel {
    /// Loads a version, checks signature and golden outputs, and runs the batch sizes it wants to be warm for. Answers
    /// name it as `known_as` says, or else as its manifest does.
    ///
    /// # Errors
    /// [`LoadError`] saying which step failed.
    pub fn load(
        serving: &Serving,
        files: &[PackageFile<'_>],
        choice: Choice,
        known_as: Option<KnownAs>,
    ) -> Result<Self, LoadError> {
        let mut manifest: Manifest = serde_json::from_slice(content(files, "manifest.json"))?;
        if let Some(KnownAs { model, version }) = known_as {
            (manifest.name, manifest.version) = (model, version);
        }
        let golden: Golden = serde_json::from_slice(content(files, "golden.json")).map_err(LoadError::GoldenFile)?;
        let refused = |cause| LoadError::Engine {
            name: manifest.name.clone(),
            engine: choice.engine.clone(),
            cause,
        };
        let (origin, device, first) = origin(serving, &manifest, files, &choice).map_err(refused)?;
        manifest
            .check(origin.signature())
            .map_err(|cause| LoadError::Signature {
                name: manifest.name.clone(),
                cause,
            })?;
        let warm_up = manifest.warm_up_rows.iter().map(|&rows| golden.repeated(rows));
        let source = Arc::new(Source {
            warm_up: warm_up.collect::<Result<_, _>>().map_err(refused)?,
            origin,
            device: device.clone(),
        });
        let first: Box<dyn einthoven_dispatch::Instance> = match first {
            // The child that said what the model takes.
            Some(mut first) => {
                source.warm(&mut first).map_err(refused)?;
                Box::new(first)
            }
            None => first_of(&source).map_err(refused)?,
        };
        let served = Self {
            digest: digest(files),
            provider: first.provider().to_owned(),
            input_names: manifest.inputs.iter().map(|spec| spec.name.as_str().into()).collect(),
            dispatcher: Dispatcher::new(
                &manifest.name,
                manifest.signature(),
                source,
                Some(first),
                settings(&manifest, &device),
            ),
            choice,
            manifest,
            device,
        };
        if served.manifest.recipe.is_some() {
            served.recipe()?;
        }
        served.check_golden(&golden)?;
        // A network is read, rewritten and tried with more memory than it runs in.
        einthoven_plugin_host::memory::give_back();
        Ok(served)
    }

    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// `sha256:` and 64 hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Name of the engine it runs on.
    #[must_use]
    pub fn engine(&self) -> &str {
        &self.choice.engine
    }

    /// The file of the package that was loaded.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.choice.file
    }

    /// What really computes, in the engine's words.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// Where it was told to run.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Inputs and outputs, as the manifest states them.
    #[must_use]
    pub fn signature(&self) -> &Signature {
        self.dispatcher.signature()
    }

    /// Counts and times since it was loaded.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.dispatcher.statistics()
    }

    /// Outputs for these inputs. Dropping the future cancels the call. With a deadline it needs a runtime of tokio.
    ///
    /// # Errors
    /// [`DispatchError`] saying why there are none.
    pub async fn infer(&self, call: Call) -> Result<Done, DispatchError> {
        self.dispatcher.call(call).await
    }

    /// Whether it classifies recordings or rows; without a recipe it takes tensors alone.
    ///
    /// # Errors
    /// [`ClassifyError::TensorsOnly`].
    pub(crate) fn classifies(&self) -> Result<(), ClassifyError> {
        match &self.manifest.recipe {
            Some(_) => Ok(()),
            None => Err(ClassifyError::TensorsOnly {
                model: self.manifest.name.clone(),
            }),
        }
    }

    pub(super) fn dispatcher(&self) -> &Dispatcher {
        &self.dispatcher
    }

    /// Its inputs' names, in the manifest's order.
    pub(super) fn input_names(&self) -> &[Arc<str>] {
        &self.input_names
    }

    /// Rows of every batch, where the network fixes them.
    pub(super) fn fixed_rows(&self) -> Option<usize> {
        self.manifest.fixed_rows()
    }

    /// The recipe that makes its tensors.
    ///
    /// # Errors
    /// When this build does not have it.
    pub(crate) fn recipe(&self) -> Result<Recipe, LoadError> {
        let recipe = self.manifest.recipe.as_deref().unwrap_or_default();
        recipe::by_name(recipe).ok_or_else(|| LoadError::Recipe {
            name: self.manifest.name.clone(),
            recipe: recipe.to_owned(),
        })
    }

    fn check_golden(&self, golden: &Golden) -> Result<(), LoadError> {
        let refused = |cause| LoadError::Engine {
            name: self.manifest.name.clone(),
            engine: self.choice.engine.clone(),
            cause,
        };
        let call = Call {
            inputs: golden.tensors(),
            priority: Priority::Interactive,
            flow: "golden outputs".into(),
            deadline: None,
        };
        let done = self.dispatcher.submit(call).and_then(|ticket| ticket.wait());
        let done = done.map_err(|why| match why {
            DispatchError::Invalid(cause) | DispatchError::Failed(cause) => refused(cause),
            other => refused(Failure::internal(other)),
        })?;
        let difference = golden.difference_of(&done.outputs, &self.manifest.outputs);
        let difference = difference.map_err(refused)?;
        if difference.largest > self.choice.tolerance {
            return Err(LoadError::Golden {
                name: self.manifest.name.clone(),
                row: difference.row,
                difference: difference.largest,
            });
        }
        Ok(())
    }
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

/// How a version's queue works.
fn settings(manifest: &Manifest, device: &Device) -> Settings {
    let usual = Settings::default();
    let on_cpu = *device == Device::Cpu;
    let share = match (on_cpu, manifest.engine.threads()) {
        (false, _) => ON_GPU,
        // Instances and the threads of each share the cores.
        (true, threads) => NonZeroUsize::new(usual.instances.get() / threads.unwrap_or(1)).unwrap_or(NonZeroUsize::MIN),
    };
    Settings {
        instances: manifest.instances.unwrap_or(share),
        // A copy more costs little on the processor, and a graphics processor's memory.
        express: on_cpu,
        batch_rows: manifest.max_batch_rows.unwrap_or(usual.batch_rows),
        ..usual
    }
}

/// Makes an instance on a thread that computes, so that threads of the engine's own come after those that answer.
fn first_of(source: &Source) -> Result<Box<dyn einthoven_dispatch::Instance>, Failure> {
    let made = std::thread::scope(|scope| {
        let make = || {
            einthoven_plugin_host::priority::after_requests();
            source.instance()
        };
        scope.spawn(make).join()
    });
    made.unwrap_or_else(|_| Err(Failure::internal("making an instance panicked")))
}

fn origin(
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
