//! The engine: opening LiteRT and loading models.

use crate::library;
use crate::model::{Config, LiteRtModel};
use crate::runtime::Environment;
use einthoven_plugin_sdk::{Code, DType, Engine, EngineInfo, Failure, Model, ModelPackage, Setup};
use serde::Deserialize;
use std::sync::Arc;

/// Runs TensorFlow Lite models through `libLiteRt.so` 2.3.0.
///
/// The library is looked for in the plugin's `library`, then in the variable `EINTHOVEN_LITERT`, then beside the plugin;
/// the first that is set counts. It must be the file pinned by SHA-256, because versions differ in how their functions
/// are called; with `sha256` the administrator vouches for another.
///
/// Any number of rows can be run. Most graphs allow it by resizing, and then the signature's first dimension is open. It
/// is tried at load: two rows at once must give what each gives alone. A graph that fails this and is made for one row is
/// run row by row. A graph made for another fixed batch takes just that.
pub struct LiteRtEngine {
    environment: Arc<Environment>,
}

impl Engine for LiteRtEngine {
    const INFO: EngineInfo = EngineInfo {
        name: "litert",
        version: env!("CARGO_PKG_VERSION"),
        formats: &["tflite"],
        dtypes: &[DType::F32, DType::F16, DType::I64, DType::I8, DType::U8, DType::Bool],
        devices: &["cpu"],
        config_schema: r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "threads": {
      "description": "Threads of one instance.",
      "type": "integer", "minimum": 1, "maximum": 256, "default": 1
    },
    "signature": {
      "description": "Which signature of the file to run; its first when absent.",
      "type": "string"
    }
  }
}"#,
    };

    fn open(setup: &Setup<'_>) -> Result<Self, Failure> {
        Ok(Self {
            environment: Arc::new(library::open(setup)?),
        })
    }

    fn runtime(&self) -> String {
        format!("LiteRT {}", library::VERSION)
    }

    fn load(&self, package: &ModelPackage<'_>, config: &serde_json::Value) -> Result<Box<dyn Model>, Failure> {
        let bytes = package
            .file(package.entry)
            .ok_or_else(|| Failure::new(Code::NotFound, format!("the package has no file `{}`", package.entry)))?;
        let named = |failure: Failure| {
            // Whatever LiteRT stumbles over while a model is loaded and tried, the file is what is wrong.
            let code = if failure.code == Code::Internal {
                Code::InvalidArgument
            } else {
                failure.code
            };
            Failure::new(code, format!("`{}`: {}", package.entry, failure.message))
        };
        let config = if config.is_null() {
            Config::default()
        } else {
            Config::deserialize(config)
                .map_err(|cause| Failure::invalid(format!("the model's engine section: {cause}")))?
        };
        Ok(Box::new(
            LiteRtModel::load(&self.environment, bytes, &config).map_err(named)?,
        ))
    }
}
