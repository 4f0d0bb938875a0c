//! A version that serves: loaded, checked against its manifest, with instances that are reused.

use super::golden::Golden;
use super::instance::{Instance, Isolation, Source};
use super::manifest::{EngineWish, Manifest, PackageFile, digest};
use super::table::EngineRow;
use einthoven_dispatch::{Call, DispatchError, Done, Statistics};
use einthoven_ecg::recipe::{self, Recipe, Tensor};
use einthoven_plugin_host::{
    Code, DType, Device, Engines, Failure, ModelFile, ModelPackage, Signature, TensorSpec, TensorView,
};
use einthoven_plugin_worker::{Crashes, LoadRequest, Spawner, Worker};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Rows a batch: enough to pay for the call, few enough that activations stay in the cache.
const BATCH_ROWS: usize = 64;

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
    source: Source,
    device: Device,
    signature: Signature,
    idle: Mutex<Vec<Instance>>,
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
        let (source, device, first) = source(serving, &manifest, files, &choice).map_err(refused)?;
        manifest
            .check(source.signature())
            .map_err(|cause| LoadError::Signature {
                name: manifest.name.clone(),
                cause,
            })?;
        let served = Self {
            digest: digest(files),
            provider: first.provider().to_owned(),
            idle: Mutex::new(vec![first]),
            choice,
            signature: manifest.signature(),
            manifest,
            source,
            device,
        };
        served.recipe()?;
        served.check_golden(&golden)?;
        served.warm_up(&golden)?;
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
        &self.signature
    }

    /// Counts and times since it was loaded.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        Statistics::default()
    }

    /// Outputs for these inputs. Dropping the future cancels the call.
    ///
    /// # Errors
    /// [`DispatchError`] saying why there are none.
    pub async fn infer(&self, call: Call) -> Result<Done, DispatchError> {
        let mut instance = self.take().map_err(DispatchError::Failed)?;
        let started = std::time::Instant::now();
        let views = call
            .inputs
            .iter()
            .map(einthoven_dispatch::Tensor::view)
            .collect::<Result<Vec<_>, _>>();
        let outputs = instance
            .run(&views.map_err(DispatchError::Invalid)?)
            .map_err(DispatchError::Failed)?;
        let outputs = outputs.all().iter().map(|output| einthoven_dispatch::Tensor {
            name: output.name.as_str().into(),
            dtype: output.dtype,
            dims: output.dims.clone(),
            data: output.bytes().to_vec().into(),
        });
        let done = Done {
            outputs: outputs.collect(),
            queued: std::time::Duration::ZERO,
            computed: started.elapsed(),
            batch_rows: call.inputs.first().map_or(1, einthoven_dispatch::Tensor::rows),
            provider: self.provider.as_str().into(),
        };
        if instance.usable() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(instance);
        }
        Ok(done)
    }

    /// Probabilities, row-major `[rows, labels]`; `tensors` makes the inputs of a range of rows when it is their turn.
    ///
    /// # Errors
    /// The engine's failure; also when an input is missing or has another shape than the manifest says.
    pub fn predict(
        &self,
        rows: usize,
        mut tensors: impl FnMut(Range<usize>) -> Vec<Tensor>,
    ) -> Result<Vec<f32>, Failure> {
        let mut instance = self.take()?;
        let mut probabilities = Vec::with_capacity(rows * self.manifest.labels.len());
        let mut done = Ok(());
        for start in (0..rows).step_by(BATCH_ROWS) {
            let tensors = tensors(start..rows.min(start + BATCH_ROWS));
            done = self.batch(&mut instance, &tensors, &mut probabilities);
            if done.is_err() {
                break;
            }
        }
        if instance.usable() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(instance);
        }
        done?;
        if probabilities.len() != rows * self.manifest.labels.len() {
            let text = format!("the model gave {} values for {rows} rows", probabilities.len());
            return Err(Failure::new(Code::Internal, text));
        }
        Ok(probabilities)
    }

    fn batch(&self, instance: &mut Instance, tensors: &[Tensor], probabilities: &mut Vec<f32>) -> Result<(), Failure> {
        let dims: Vec<Vec<usize>> = self.manifest.inputs.iter().map(|spec| shape(spec, tensors)).collect();
        let views = self
            .manifest
            .inputs
            .iter()
            .zip(&dims)
            .map(|(spec, dims)| {
                let tensor = self.fed(spec, tensors)?;
                TensorView::new(&spec.name, DType::F32, dims, bytemuck::cast_slice(&tensor.values))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let outputs = instance.run(&views)?;
        if let Some((_, failure)) = outputs.failed().first() {
            return Err(failure.clone());
        }
        probabilities.extend_from_slice(outputs.get(&self.manifest.outputs[0].name)?.as_f32()?);
        Ok(())
    }

    /// The tensor of the recipe that an input takes.
    fn fed<'t>(&self, spec: &TensorSpec, tensors: &'t [Tensor]) -> Result<&'t Tensor, Failure> {
        let wanted = self.manifest.feeds.get(&spec.name).unwrap_or(&spec.name);
        tensors.iter().find(|tensor| tensor.name == wanted).ok_or_else(|| {
            Failure::invalid(format!(
                "the recipe {} makes no tensor `{wanted}` for the input `{}`",
                self.manifest.recipe, spec.name
            ))
        })
    }

    fn take(&self) -> Result<Instance, Failure> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| self.source.instance(&self.device), Ok)
    }

    /// The recipe that makes its tensors.
    ///
    /// # Errors
    /// When this build does not have it.
    pub(crate) fn recipe(&self) -> Result<Recipe, LoadError> {
        recipe::by_name(&self.manifest.recipe).ok_or_else(|| LoadError::Recipe {
            name: self.manifest.name.clone(),
            recipe: self.manifest.recipe.clone(),
        })
    }

    fn refused(&self, cause: Failure) -> LoadError {
        LoadError::Engine {
            name: self.manifest.name.clone(),
            engine: self.choice.engine.clone(),
            cause,
        }
    }

    fn warm_up(&self, golden: &Golden) -> Result<(), LoadError> {
        let run = |rows| {
            let repeated = golden.repeated(rows)?;
            let mut instance = self.take()?;
            instance.run(&repeated.inputs()?)?;
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(instance);
            Ok(())
        };
        self.manifest
            .warm_up_rows
            .iter()
            .try_for_each(|&rows| run(rows))
            .map_err(|cause| self.refused(cause))
    }

    fn check_golden(&self, golden: &Golden) -> Result<(), LoadError> {
        let refused = |cause| self.refused(cause);
        let mut instance = self.take().map_err(refused)?;
        let outputs = golden
            .inputs()
            .and_then(|inputs| instance.run(&inputs))
            .map_err(refused)?;
        let difference = golden.difference(&outputs, &self.manifest.outputs).map_err(refused)?;
        if difference.largest > self.choice.tolerance {
            return Err(LoadError::Golden {
                name: self.manifest.name.clone(),
                row: difference.row,
                difference: difference.largest,
            });
        }
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(instance);
        Ok(())
    }
}

impl Manifest {
    /// Whether a file's inputs and outputs are this manifest's.
    pub(super) fn check(&self, found: &Signature) -> Result<(), Failure> {
        let stated = self.signature();
        // Engines do not always know an output's shape before it has run; names, types and inputs they must know. Some
        // open the batch of a file whose first dimension is fixed, so an open one fits any.
        let names = |specs: &[TensorSpec]| {
            let mut names: Vec<_> = specs.iter().map(|spec| (spec.name.clone(), spec.dtype)).collect();
            names.sort_by(|a, b| a.0.cmp(&b.0));
            names
        };
        let mut inputs = (found.inputs.clone(), stated.inputs.clone());
        inputs.0.sort_by(|a, b| a.name.cmp(&b.name));
        inputs.1.sort_by(|a, b| a.name.cmp(&b.name));
        let same = inputs.0 == inputs.1 && names(&found.outputs) == names(&stated.outputs);
        let usable = stated.outputs.len() == 1 && stated.inputs.iter().all(|spec| spec.dtype == DType::F32);
        if same && usable {
            return Ok(());
        }
        Err(Failure::invalid(format!(
            "its file has {found}, its manifest says {stated}"
        )))
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

fn source(
    serving: &Serving,
    manifest: &Manifest,
    files: &[PackageFile<'_>],
    choice: &Choice,
) -> Result<(Source, Device, Instance), Failure> {
    let device: Device = manifest.device.parse()?;
    if manifest.isolation == Isolation::Worker {
        let request = Arc::new(load_request(manifest, files, &choice.engine, &choice.file)?);
        let crashes = Crashes::default();
        let first = Worker::start(Arc::clone(&serving.workers), Arc::clone(&request), crashes.clone())?;
        let source = Source::Worker {
            signature: first.opened().signature.clone(),
            spawner: Arc::clone(&serving.workers),
            request,
            crashes,
        };
        return Ok((source, device, Instance::Worker(first)));
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
    let source = Source::InProcess(model);
    let first = source.instance(&device)?;
    Ok((source, device, first))
}

/// An input's shape for these rows: the rows, then what the manifest says of one; any size it leaves open must be one.
fn shape(spec: &TensorSpec, tensors: &[Tensor]) -> Vec<usize> {
    let rows = tensors
        .first()
        .and_then(|tensor| tensor.dims.first())
        .copied()
        .unwrap_or(0);
    let row = spec.dims.iter().skip(1).map(|size| size.unwrap_or(1));
    std::iter::once(rows).chain(row).collect()
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
