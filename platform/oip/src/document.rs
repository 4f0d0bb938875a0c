//! What the protocol tells of servers and models, as JSON.

use crate::datatype::Datatype;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// `GET /v2`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "InferenceServer")]
pub struct Server {
    /// Name of the product.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// What it offers beyond the protocol itself.
    pub extensions: &'static [&'static str],
}

/// What is offered beyond the protocol itself.
pub const EXTENSIONS: &[&str] = &[
    "binary_tensor_data",
    "model_configuration",
    "model_repository",
    "parameters",
    "schedule_policy",
    "statistics",
];

/// `GET /v2/health/live` and `ready`, and a model's `ready`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "InferenceHealth")]
pub struct Health {
    /// Set where it was asked whether the server lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<bool>,
    /// Set where it was asked whether something is ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready: Option<bool>,
    /// The model, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// `GET /v2/models/{model}`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ModelMetadata {
    /// The model.
    pub name: String,
    /// Versions that may be asked for by name.
    pub versions: Vec<String>,
    /// The engine that the answering one runs on.
    pub platform: String,
    /// Tensors it takes.
    pub inputs: Vec<TensorMetadata>,
    /// Tensors it gives.
    pub outputs: Vec<TensorMetadata>,
}

/// A tensor of a model.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TensorMetadata {
    /// Its name in the model.
    pub name: String,
    /// Element type.
    pub datatype: Datatype,
    /// Dimensions; -1 where any size goes.
    pub shape: Vec<i64>,
}

/// Rows of one request at most, as far as a configuration can say: larger ones are cut, bytes are what is bounded.
pub const MAX_BATCH: i32 = 65_536;

/// `GET /v2/models/{model}/config`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ModelConfig {
    /// The model.
    pub name: String,
    /// The engine.
    pub platform: String,
    /// The engine again: clients look at either.
    pub backend: String,
    /// Rows of one request at most; zero where the first dimension is no row.
    pub max_batch_size: i32,
    /// Tensors it takes.
    pub input: Vec<ConfigTensor>,
    /// Tensors it gives.
    pub output: Vec<ConfigTensor>,
    /// Where it runs.
    pub instance_group: Vec<InstanceGroup>,
    /// The file that was loaded.
    pub default_model_filename: String,
    /// What else is known of it.
    pub parameters: BTreeMap<&'static str, ConfigParameter>,
}

/// A tensor in a configuration.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ConfigTensor {
    /// Its name in the model.
    pub name: String,
    /// `TYPE_FP32` and so on.
    pub data_type: &'static str,
    /// Dimensions of one row; -1 where any size goes.
    pub dims: Vec<i64>,
}

/// A parameter in a configuration.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ConfigParameter {
    /// Its value.
    pub string_value: String,
}

/// Where a version runs.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct InstanceGroup {
    /// The device in the server's words, such as `cpu` or `cuda:0`.
    pub name: String,
    /// `KIND_CPU` or `KIND_GPU`.
    pub kind: &'static str,
    /// Instances.
    pub count: i32,
}

/// The name of a type in configurations.
#[must_use]
pub const fn config_type(datatype: Datatype) -> &'static str {
    match datatype {
        Datatype::Bool => "TYPE_BOOL",
        Datatype::Int8 => "TYPE_INT8",
        Datatype::Int16 => "TYPE_INT16",
        Datatype::Int32 => "TYPE_INT32",
        Datatype::Int64 => "TYPE_INT64",
        Datatype::Uint8 => "TYPE_UINT8",
        Datatype::Uint16 => "TYPE_UINT16",
        Datatype::Uint32 => "TYPE_UINT32",
        Datatype::Uint64 => "TYPE_UINT64",
        Datatype::Fp16 => "TYPE_FP16",
        Datatype::Fp32 => "TYPE_FP32",
        Datatype::Fp64 => "TYPE_FP64",
        Datatype::Bytes => "TYPE_STRING",
    }
}

/// `GET /v2/models/stats`, and of one model.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "InferenceStatistics")]
pub struct Statistics {
    /// Every loaded version.
    pub model_stats: Vec<ModelStatistics>,
}

/// Counts and times of one version since it was loaded.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ModelStatistics {
    /// The model.
    pub name: String,
    /// The version.
    pub version: String,
    /// Milliseconds since 1970 of its last answer.
    pub last_inference: u64,
    /// Rows that it answered.
    pub inference_count: u64,
    /// Runs of the engine.
    pub execution_count: u64,
    /// Times of calls.
    pub inference_stats: InferStatistics,
    /// Times by size of batch.
    pub batch_stats: Vec<BatchStatistics>,
}

/// Sums of times, each with how many it is of.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct InferStatistics {
    /// Calls that got their outputs.
    pub success: Times,
    /// Calls that did not.
    pub fail: Times,
    /// Waiting for their first batch.
    pub queue: Times,
    /// Copying inputs together.
    pub compute_input: Times,
    /// Inside the engine.
    pub compute_infer: Times,
    /// Cutting outputs apart.
    pub compute_output: Times,
}

/// The same of the batches of one size.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct BatchStatistics {
    /// Rows.
    pub batch_size: u64,
    /// Copying inputs together.
    pub compute_input: Times,
    /// Inside the engine.
    pub compute_infer: Times,
    /// Cutting outputs apart.
    pub compute_output: Times,
}

/// How many, and nanoseconds of all together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Times {
    /// How many.
    pub count: u64,
    /// Nanoseconds.
    pub ns: u64,
}

impl Times {
    /// Of so many that took so long together.
    #[must_use]
    pub fn of(count: u64, sum: Duration) -> Self {
        let ns = u64::try_from(sum.as_nanos()).unwrap_or(u64::MAX);
        Self { count, ns }
    }
}

/// One row of `POST /v2/repository/index`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IndexRow {
    /// The model.
    pub name: String,
    /// The version.
    pub version: String,
    /// `READY`, `LOADING`, `UNAVAILABLE`.
    pub state: &'static str,
    /// Why it is not ready.
    pub reason: String,
}
