//! A version that serves: loaded, checked against its manifest, with runners that are reused.

use crate::manifest::{Manifest, PackageFile, digest};
use einthoven_ecg::recipe::{self, Recipe, Tensor};
use einthoven_plugin_host::{
    Code, DType, Device, Engines, Failure, LoadedModel, ModelFile, ModelPackage, Runner, TensorSpec, TensorView, Until,
};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Rows a batch: enough to pay for the call, few enough that activations stay in the cache.
const BATCH_ROWS: usize = 64;

/// How far a golden output may be off. Engines differ by rounding only: 1.2e-7 was measured for tract in fp32.
const GOLDEN_TOLERANCE: f32 = 1e-4;

/// Why a version does not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The manifest is not what it should be.
    #[error("the manifest of the model: {0}")]
    Manifest(#[from] serde_json::Error),
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
    #[error("model `{name}`: its file has {found}, its manifest says {stated}")]
    Signature {
        /// The model.
        name: String,
        /// In the file.
        found: String,
        /// In the manifest.
        stated: String,
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

/// Inputs with the outputs they gave when the model was made.
#[derive(Debug, Deserialize)]
struct Golden {
    inputs: BTreeMap<String, GoldenTensor>,
    outputs: BTreeMap<String, GoldenTensor>,
}

/// Row-major; the first of `dims` is the batch.
#[derive(Debug, Deserialize)]
struct GoldenTensor {
    dims: Vec<usize>,
    values: Vec<f32>,
}

/// A version that serves.
pub struct ServedModel {
    manifest: Manifest,
    digest: String,
    model: LoadedModel,
    device: Device,
    idle: Mutex<Vec<Runner>>,
}

impl ServedModel {
    /// Loads the ONNX file `model.onnx` of a package on an engine, and checks signature and golden outputs.
    ///
    /// # Errors
    /// [`LoadError`] saying which step failed.
    pub fn load(engines: &Engines, engine: &str, files: &[PackageFile<'_>]) -> Result<Self, LoadError> {
        let content = |name: &str| {
            files
                .iter()
                .find(|file| file.name == name)
                .map_or(&[][..], |file| file.bytes)
        };
        let manifest: Manifest = serde_json::from_slice(content("manifest.json"))?;
        let golden: Golden = serde_json::from_slice(content("golden.json"))?;
        let package: Vec<_> = files
            .iter()
            .map(|file| ModelFile {
                name: file.name,
                bytes: file.bytes,
            })
            .collect();
        let package = ModelPackage {
            files: &package,
            entry: "model.onnx",
            directory: None,
        };
        let refused = |cause| LoadError::Engine {
            name: manifest.name.clone(),
            engine: engine.to_owned(),
            cause,
        };
        let model = engines
            .load(engine, &package, &serde_json::json!({}))
            .map_err(refused)?;
        let device = Device::Cpu;
        let runner = model.runner(&device).map_err(refused)?;
        let served = Self {
            digest: digest(files),
            idle: Mutex::new(vec![runner]),
            manifest,
            model,
            device,
        };
        served.check_signature()?;
        served.check_golden(&golden)?;
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
        self.model.engine()
    }

    /// Where it runs.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
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
        let mut runner = self.take_runner()?;
        let mut probabilities = Vec::with_capacity(rows * self.manifest.labels.len());
        for start in (0..rows).step_by(BATCH_ROWS) {
            let tensors = tensors(start..rows.min(start + BATCH_ROWS));
            let views = tensors
                .iter()
                .map(|tensor| {
                    TensorView::new(
                        tensor.name,
                        DType::F32,
                        &tensor.dims,
                        bytemuck::cast_slice(&tensor.values),
                    )
                })
                .collect::<Result<Vec<_>, _>>()?;
            let outputs = runner.run(&views, &Until::default())?;
            if let Some((_, failure)) = outputs.failed().first() {
                return Err(failure.clone());
            }
            probabilities.extend_from_slice(outputs.get(&self.manifest.outputs[0].name)?.as_f32()?);
        }
        if probabilities.len() != rows * self.manifest.labels.len() {
            let text = format!("the model gave {} values for {rows} rows", probabilities.len());
            return Err(Failure::new(Code::Internal, text));
        }
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(runner);
        Ok(probabilities)
    }

    fn take_runner(&self) -> Result<Runner, Failure> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| self.model.runner(&self.device), Ok)
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

    fn check_signature(&self) -> Result<(), LoadError> {
        let (found, stated) = (self.model.signature(), self.manifest.signature());
        let differs = || LoadError::Signature {
            name: self.manifest.name.clone(),
            found: format!("{found:?}"),
            stated: format!("{stated:?}"),
        };
        // Engines do not always know an output's shape before it has run; names, types and inputs they must know.
        let names = |specs: &[TensorSpec]| {
            specs
                .iter()
                .map(|spec| (spec.name.clone(), spec.dtype))
                .collect::<Vec<_>>()
        };
        let same = found.inputs == stated.inputs && names(&found.outputs) == names(&stated.outputs);
        let usable = stated.outputs.len() == 1 && stated.inputs.iter().all(|spec| spec.dtype == DType::F32);
        if same && usable { Ok(()) } else { Err(differs()) }
    }

    fn check_golden(&self, golden: &Golden) -> Result<(), LoadError> {
        let recipe = self.recipe()?;
        let rows = golden
            .inputs
            .values()
            .next()
            .and_then(|tensor| tensor.dims.first().copied())
            .unwrap_or(0);
        let golden_rows = |range: Range<usize>| {
            let inputs = recipe.inputs().into_iter().map(|(name, shape)| {
                let width: usize = shape.iter().product();
                let values = golden
                    .inputs
                    .get(name)
                    .map_or(&[][..], |tensor| tensor.values.as_slice());
                let values = values
                    .get(range.start * width..range.end * width)
                    .unwrap_or_default()
                    .to_vec();
                Tensor {
                    name,
                    dims: std::iter::once(range.len()).chain(shape).collect(),
                    values,
                }
            });
            inputs.collect()
        };
        let got = self.predict(rows, golden_rows).map_err(|cause| LoadError::Engine {
            name: self.manifest.name.clone(),
            engine: self.engine().to_owned(),
            cause,
        })?;
        let expected = golden
            .outputs
            .get(&self.manifest.outputs[0].name)
            .map_or(&[][..], |tensor| tensor.values.as_slice());
        if got.len() != expected.len() {
            return Err(LoadError::Golden {
                name: self.manifest.name.clone(),
                row: 0,
                difference: f32::INFINITY,
            });
        }
        for (index, (got, expected)) in got.iter().zip(expected).enumerate() {
            let difference = (got - expected).abs();
            if difference.is_nan() || difference > GOLDEN_TOLERANCE {
                let row = index / self.manifest.labels.len().max(1);
                return Err(LoadError::Golden {
                    name: self.manifest.name.clone(),
                    row,
                    difference,
                });
            }
        }
        Ok(())
    }
}
