//! The engine trait and what it is given.

use crate::failure::Failure;
use crate::setup::Setup;
use crate::tensor::{DType, Signature, TensorView};
use std::path::Path;
use std::time::Instant as Time;

/// Runs networks of the kinds it knows. One per plugin, shared by all models it loads.
///
/// [`export_engine!`](crate::export_engine) turns the type into a plugin.
pub trait Engine: Send + Sync + Sized + 'static {
    /// Name, version and limits; known before anything is opened.
    const INFO: EngineInfo;

    /// Opens the engine: finds its libraries, if it needs any.
    ///
    /// # Errors
    /// `NotFound` or `Unavailable` saying what was looked for, where, and what to install.
    fn open(setup: &Setup<'_>) -> Result<Self, Failure>;

    /// Version of what runs underneath, such as that of a shared library found at [`Engine::open`].
    fn runtime(&self) -> String;

    /// Loads a model whole, or says why not before anything runs.
    ///
    /// `config` is the model's engine section, a JSON object; the host has checked it against
    /// [`EngineInfo::config_schema`].
    ///
    /// # Errors
    /// `Unsupported` naming the nodes and operators that the engine lacks, `InvalidArgument` for a corrupt file or one
    /// that names files outside its package.
    fn load(&self, package: &ModelPackage<'_>, config: &serde_json::Value) -> Result<Box<dyn Model>, Failure>;
}

/// What an engine is, asked once and shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineInfo {
    /// `tract`, `onnxruntime`, ...: lower case letters, digits and `-`.
    pub name: &'static str,
    /// Of the plugin; that of the library underneath is [`Engine::runtime`].
    pub version: &'static str,
    /// File endings it loads, without the dot.
    pub formats: &'static [&'static str],
    /// Element types it takes and gives.
    pub dtypes: &'static [DType],
    /// Kinds of device it can use if they are there: `cpu`, `cuda`.
    pub devices: &'static [&'static str],
    /// JSON Schema (2020-12) of a model's engine section; it should refuse unknown keys.
    pub config_schema: &'static str,
}

/// The files of one version, already verified by the host. An engine opens nothing else.
#[derive(Debug, Clone, Copy)]
pub struct ModelPackage<'a> {
    /// All files; external weights are found here by name.
    pub files: &'a [ModelFile<'a>],
    /// Name of the file to start from.
    pub entry: &'a str,
    /// Where the same files lie, for engines that can only read paths.
    pub directory: Option<&'a Path>,
}

impl<'a> ModelPackage<'a> {
    /// The bytes of a file in the package.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&'a [u8]> {
        self.files.iter().find(|file| file.name == name).map(|file| file.bytes)
    }
}

/// One file of a package.
#[derive(Debug, Clone, Copy)]
pub struct ModelFile<'a> {
    /// Relative name, `/` between parts.
    pub name: &'a str,
    /// Its content.
    pub bytes: &'a [u8],
}

/// A loaded model. It holds the weights; instances share them where the engine can.
pub trait Model: Send + Sync {
    /// Inputs and outputs as the file declares them.
    fn signature(&self) -> &Signature;

    /// One more copy that can run beside the others.
    ///
    /// # Errors
    /// `Unavailable` when the device cannot be had, with the engine's own reason.
    fn instance(&self, device: &Device) -> Result<Box<dyn Instance>, Failure>;
}

/// Where an instance runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// A CUDA device by its number.
    Cuda(u32),
}

impl std::fmt::Display for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(id) => write!(f, "cuda:{id}"),
        }
    }
}

impl std::str::FromStr for Device {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        match text.split_once(':') {
            None if text == "cpu" => Ok(Self::Cpu),
            None if text == "cuda" => Ok(Self::Cuda(0)),
            Some(("cuda", id)) if id.parse::<u32>().is_ok() => Ok(Self::Cuda(id.parse().unwrap_or_default())),
            _ => Err(Failure::invalid(format!(
                "`{text}` is no device; say `cpu`, `cuda` or `cuda:1`"
            ))),
        }
    }
}

/// Runs batches, one at a time; the host never makes two calls on one instance at once.
pub trait Instance: Send {
    /// What really computes, in the engine's own words: `cpu`, `CUDAExecutionProvider`, ...
    fn provider(&self) -> String {
        "cpu".to_owned()
    }

    /// Runs one batch: all inputs have the same first dimension, one item per row.
    ///
    /// Inputs come by name, in any order; their buffers are the host's and aligned to 8 bytes at least. Outputs are
    /// asked for by [`Call::output`] and filled; an item that cannot be computed is reported by [`Call::fail_item`] and
    /// the others still succeed.
    ///
    /// # Errors
    /// When the whole batch failed; the host then uses none of its outputs. `InvalidArgument` for a missing input, or
    /// one of another type or shape than the signature says. An instance that panics is not used again.
    fn execute(&mut self, inputs: &[TensorView<'_>], call: &mut dyn Call) -> Result<(), Failure>;
}

/// The host's side of one batch.
pub trait Call {
    /// A zeroed buffer of the host's for an output, aligned to 8 bytes; to be filled before `execute` returns.
    ///
    /// # Errors
    /// `ResourceExhausted` above the host's bound, `InvalidArgument` when the output was asked for already.
    fn output(&mut self, name: &str, dtype: DType, dims: &[usize]) -> Result<&mut [u8], Failure>;

    /// Marks one item of the batch as failed.
    fn fail_item(&mut self, item: usize, failure: Failure);

    /// True when nobody waits for the answer any more; long engines ask between layers.
    fn cancelled(&self) -> bool;

    /// When the answer stops being useful.
    fn deadline(&self) -> Option<Time>;
}
