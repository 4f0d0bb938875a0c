//! Loading: a package to a network on the processor.

use crate::architectures;
use crate::config::{Config, Size};
use crate::model::CandleModel;
use crate::weights::Weights;
use einthoven_plugin_sdk::{Code, DType, Engine, EngineInfo, Failure, Model, ModelPackage, Setup};
use serde::Deserialize;

/// The model's engine section.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    #[serde(default = "one")]
    threads: Size<256>,
}

fn one() -> Size<256> {
    Size::ONE
}

/// The engine; it has no state of its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct CandleEngine;

impl Engine for CandleEngine {
    const INFO: EngineInfo = EngineInfo {
        name: "candle",
        version: env!("CARGO_PKG_VERSION"),
        formats: &["safetensors"],
        dtypes: &[DType::F32],
        devices: if cfg!(feature = "cuda") {
            &["cpu", "cuda"]
        } else {
            &["cpu"]
        },
        config_schema: r#"{
            "type": "object",
            "properties": {"threads": {
                "type": "integer", "minimum": 1, "maximum": 256, "default": 1,
                "description": "threads of each instance on the processor"
            }},
            "additionalProperties": false
        }"#,
    };

    fn open(_setup: &Setup<'_>) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn runtime(&self) -> String {
        "candle 0.11.1".to_owned()
    }

    fn load(&self, package: &ModelPackage<'_>, section: &serde_json::Value) -> Result<Box<dyn Model>, Failure> {
        let section = Section::deserialize(section)
            .map_err(|cause| Failure::invalid(format!("the model's section for the engine candle: {cause}")))?;
        let file = |name: &str, what: &str| {
            package
                .file(name)
                .ok_or_else(|| Failure::new(Code::NotFound, format!("the package has no file `{name}`, {what}")))
        };
        let folder = package.entry.rfind('/').map_or("", |end| &package.entry[..=end]);
        let config_name = format!("{folder}config.json");
        let bytes = file(package.entry, "the weights")?;
        let config = file(&config_name, "which names the architecture of the weights beside it")?;
        let config = Config::parse(&config_name, config)?;
        let described = architectures::build(&config, Weights::read(package.entry, bytes)?)?;
        Ok(Box::new(CandleModel::new(described, section.threads.get())))
    }
}
