//! What a version needs and gives, as it lies beside its files.

use super::instance::Isolation;
use einthoven_plugin_host::{DType, Failure, Signature, TensorSpec};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;

/// A version's manifest. Fields that people read but serving does not (seeds, card) are left to the file.
#[derive(Debug, Clone, Deserialize)]
pub struct Manifest {
    /// The model's name, as its maker calls it.
    #[serde(default)]
    pub name: String,
    /// The version's name within the model, as its maker calls it.
    #[serde(default)]
    pub version: String,
    /// The recipe that makes its tensors, with its version. Without one it takes tensors alone and classifies nothing.
    #[serde(default)]
    pub recipe: Option<String>,
    /// Tensors it takes; `null` in `dims` where any size goes.
    pub inputs: Vec<TensorSpec>,
    /// Which tensor of the recipe each input takes, where their names differ. A row may have another shape than the
    /// recipe's as long as it has as many values.
    #[serde(default)]
    pub feeds: BTreeMap<String, String>,
    /// Tensors it gives.
    pub outputs: Vec<TensorSpec>,
    /// Class of each column of the output, in order; with a recipe there must be some.
    #[serde(default)]
    pub labels: Vec<String>,
    /// What is to run it; the fastest engine that computes it rightly, unless the manifest says.
    #[serde(default)]
    pub engine: EngineWish,
    /// Where its instances live.
    #[serde(default)]
    pub isolation: Isolation,
    /// Where to run: `cpu`, `cuda`, `cuda:1`.
    #[serde(default = "cpu")]
    pub device: String,
    /// Its network in one or several formats. Where the manifest names none, every file called `model.` counts.
    #[serde(default)]
    pub variants: Vec<Variant>,
    /// Rows of the batches that an instance runs before it answers, so that the first request of each size is no slower
    /// than the next.
    #[serde(default)]
    pub warm_up_rows: Vec<usize>,
    /// Copies that compute at once; as many as there are cores for, unless it says.
    #[serde(default)]
    pub instances: Option<NonZeroUsize>,
    /// Rows of a batch at most; 64 unless it says.
    #[serde(default)]
    pub max_batch_rows: Option<NonZeroUsize>,
    /// What it was trained on, as far as its maker says so: it is not measured on the same.
    #[serde(default, deserialize_with = "super::training::declared")]
    pub training: super::training::Training,
}

fn cpu() -> String {
    "cpu".to_owned()
}

/// What a manifest wants to be run by.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(from = "EngineText")]
pub enum EngineWish {
    /// The fastest that computes it rightly on this machine.
    #[default]
    Auto,
    /// That one, with its section of configuration.
    Named {
        /// Name of the engine.
        name: String,
        /// By the engine's own schema.
        config: serde_json::Value,
    },
}

impl EngineWish {
    /// The engine's section of the manifest; empty when it names none.
    pub(super) fn config(&self) -> serde_json::Value {
        match self {
            Self::Auto => serde_json::json!({}),
            Self::Named { config, .. } => config.clone(),
        }
    }

    /// Threads that its section gives each instance, where it says so; all cores, where it says zero.
    pub(super) fn threads(&self) -> Option<usize> {
        let Self::Named { config, .. } = self else { return None };
        let threads = usize::try_from(config.get("threads")?.as_u64()?).ok()?;
        Some(if threads == 0 { usize::MAX } else { threads })
    }
}

/// `"auto"`, `"tract"`, or `{"name": "tract", "config": {}}`.
#[derive(Deserialize)]
#[serde(untagged)]
enum EngineText {
    Name(String),
    Section {
        name: String,
        #[serde(default)]
        config: serde_json::Map<String, serde_json::Value>,
    },
}

impl From<EngineText> for EngineWish {
    fn from(text: EngineText) -> Self {
        match text {
            EngineText::Name(name) if name == "auto" => Self::Auto,
            EngineText::Name(name) => Self::Named {
                name,
                config: serde_json::json!({}),
            },
            EngineText::Section { name, config } => Self::Named {
                name,
                config: config.into(),
            },
        }
    }
}

/// One file that holds the network.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Variant {
    /// Name in the package; its ending says the format.
    pub name: String,
    /// How far its outputs may be from the golden ones: 1e-4 in fp32, more for a smaller precision, as the card states.
    #[serde(default = "fp32")]
    pub tolerance: f32,
}

/// Engines differ by rounding only: at most 6e-7 was measured among four of them in fp32.
fn fp32() -> f32 {
    1e-4
}

impl Manifest {
    /// The files that hold the network, of those a package has.
    #[must_use]
    pub fn variants(&self, files: &[PackageFile<'_>]) -> Vec<Variant> {
        if !self.variants.is_empty() {
            return self.variants.clone();
        }
        let model = |name: &str| name.strip_prefix("model.").is_some_and(|ending| !ending.contains('.'));
        let named = files.iter().filter(|file| model(file.name));
        named
            .map(|file| Variant {
                name: file.name.to_owned(),
                tolerance: fp32(),
            })
            .collect()
    }

    /// Inputs and outputs together.
    #[must_use]
    pub fn signature(&self) -> Signature {
        Signature {
            inputs: self.inputs.clone(),
            outputs: self.outputs.clone(),
        }
    }

    /// Rows of every batch, where the network fixes them.
    pub(super) fn fixed_rows(&self) -> Option<usize> {
        self.inputs.iter().find_map(|spec| spec.dims.first().copied().flatten())
    }

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
        let one = stated.outputs.len() == 1 && stated.outputs[0].dtype == DType::F32;
        let classifies = one && stated.inputs.iter().all(|spec| spec.dtype == DType::F32) && !self.labels.is_empty();
        let usable = self.recipe.is_none() || classifies;
        if same && usable {
            return Ok(());
        }
        let why = if same {
            "; with a recipe it takes and gives 32-bit floats, has one output, and names its columns in `labels`"
        } else {
            ""
        };
        Err(Failure::invalid(format!(
            "its file has {found}, its manifest says {stated}{why}"
        )))
    }
}

/// One file of a version.
#[derive(Debug, Clone, Copy)]
pub struct PackageFile<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its content.
    pub bytes: &'a [u8],
}

/// The digest a version is known by: SHA-256 over the lines `<sha256>  <name>` of all its files, sorted by name.
#[must_use]
pub fn digest(files: &[PackageFile<'_>]) -> String {
    let mut lines: Vec<_> = files
        .iter()
        .map(|file| (file.name, hex::encode(Sha256::digest(file.bytes))))
        .collect();
    lines.sort();
    let mut whole = Sha256::new();
    for (name, sum) in lines {
        whole.update(format!("{sum}  {name}\n"));
    }
    format!("sha256:{}", hex::encode(whole.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_knows_names_and_contents_but_no_order() {
        let a = PackageFile { name: "a", bytes: b"1" };
        let b = PackageFile { name: "b", bytes: b"2" };
        let swapped = [
            PackageFile { name: "a", bytes: b"2" },
            PackageFile { name: "b", bytes: b"1" },
        ];
        assert_eq!(digest(&[a, b]), digest(&[b, a]));
        assert_ne!(digest(&[a, b]), digest(&swapped));
        assert_ne!(digest(&[a, b]), digest(&[a]));
    }
}
