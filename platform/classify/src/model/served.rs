//! A version that serves: loaded, checked against its manifest, behind a queue of its own.

use super::golden::Golden;
use super::instance::Source;
use super::loading::{Choice, LoadError, Serving, content, origin};
use super::manifest::{Manifest, PackageFile, digest};
use crate::error::ClassifyError;
use einthoven_dispatch::{Call, DispatchError, Dispatcher, Done, Priority, Settings, Source as _, Statistics};
use einthoven_ecg::recipe::{self, Recipe};
use einthoven_plugin_host::{Device, Failure, Signature};
use std::num::NonZeroUsize;
use std::sync::Arc;

/// Instances on a graphics processor, where the manifest does not say: one computes while the other is given its batch.
const ON_GPU: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

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
            alone: false,
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
