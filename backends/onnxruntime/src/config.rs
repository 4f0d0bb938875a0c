//! What people may set: for the plugin, and for each model.

use einthoven_plugin_sdk::{Device, Failure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// The plugin's own section.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PluginConfig {
    /// Where the shared library lies.
    pub(crate) library: Option<PathBuf>,
}

/// JSON Schema of [`Options`].
pub(crate) const SCHEMA: &str = include_str!("config.schema.json");

/// A model's engine section; `config.schema.json` says what each key means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    pub(crate) threads: usize,
    pub(crate) interop_threads: usize,
    pub(crate) spinning: bool,
    pub(crate) graph_optimization: Optimization,
    pub(crate) arena: Arena,
    pub(crate) provider: Option<Provider>,
    pub(crate) memory_limit_bytes: Option<usize>,
    pub(crate) fp16: Option<bool>,
    pub(crate) tf32: Option<bool>,
    pub(crate) io_binding: bool,
    pub(crate) fallback: Fallback,
}

impl Default for Options {
    /// One thread: the host runs as many instances as there are cores, which gives more answers per second than one
    /// instance over all cores, and instances with pools of their own would fight for the same cores.
    fn default() -> Self {
        Self {
            threads: 1,
            interop_threads: 1,
            spinning: false,
            graph_optimization: Optimization::All,
            arena: Arena::On,
            provider: None,
            memory_limit_bytes: None,
            fp16: None,
            tf32: None,
            io_binding: false,
            fallback: Fallback::None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Optimization {
    Off,
    Basic,
    Extended,
    Layout,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Arena {
    On,
    Off,
    /// Kept between the nodes of a run, given back after it.
    Shrink,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Provider {
    Cpu,
    Cuda,
    TensorRt,
}

impl Provider {
    /// ONNX Runtime's name for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cpu => "CPUExecutionProvider",
            Self::Cuda => "CUDAExecutionProvider",
            Self::TensorRt => "TensorrtExecutionProvider",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Fallback {
    /// A device that cannot be had is a failure.
    None,
    /// The processor takes its place.
    Cpu,
}

impl Options {
    /// Reads a model's engine section.
    pub(crate) fn read(config: &Value) -> Result<Self, Failure> {
        let options: Self = section("the model's engine section", config)?;
        let only = |set: bool, key: &str, providers: &[Provider]| {
            if set && !options.provider.is_some_and(|provider| providers.contains(&provider)) {
                let names: Vec<_> = providers
                    .iter()
                    .map(|provider| format!("{provider:?}").to_lowercase())
                    .collect();
                return Err(Failure::invalid(format!(
                    "`{key}` has no meaning without `provider` {}; remove it or set the provider",
                    names.join(" or ")
                )));
            }
            Ok(())
        };
        only(
            options.memory_limit_bytes.is_some(),
            "memory_limit_bytes",
            &[Provider::Cuda, Provider::TensorRt],
        )?;
        only(options.tf32.is_some(), "tf32", &[Provider::Cuda])?;
        only(options.fp16.is_some(), "fp16", &[Provider::TensorRt])?;
        Ok(options)
    }

    /// Threads for the work inside one node: as set, or all cores that this process may use.
    pub(crate) fn intra_threads(&self) -> usize {
        match self.threads {
            0 => cores(),
            threads => threads,
        }
    }

    /// Threads of sessions whose convolutions are to be lifted: those on the processor, where ONNX Runtime lays tensors out in blocks.
    pub(crate) fn lifts(&self) -> Option<usize> {
        let blocks = matches!(self.graph_optimization, Optimization::Layout | Optimization::All);
        let here = matches!(self.provider, None | Some(Provider::Cpu));
        (blocks && here).then(|| self.intra_threads())
    }

    /// Whether all instances on the processor may run on one session. Its threads are the session's: where each instance is to
    /// have some of the cores it needs a session of its own, and to bind to.
    pub(crate) fn one_session(&self) -> bool {
        let threads = self.intra_threads();
        !self.io_binding && self.interop_threads == 1 && (threads == 1 || threads >= cores())
    }

    /// The provider for an instance on that device.
    pub(crate) fn provider_on(&self, device: &Device) -> Result<Provider, Failure> {
        match (self.provider, device) {
            (None | Some(Provider::Cpu), Device::Cpu) => Ok(Provider::Cpu),
            (None, Device::Cuda(_)) => Ok(Provider::Cuda),
            (Some(provider @ (Provider::Cuda | Provider::TensorRt)), Device::Cuda(_)) => Ok(provider),
            (Some(provider), device) => Err(Failure::invalid(format!(
                "the model asks for the provider `{}`, its instance for the device `{device}`; make them agree",
                provider.name()
            ))),
        }
    }
}

/// Cores that this process may use.
fn cores() -> usize {
    // The standard library honours both the affinity mask and the control group's quota.
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Reads a section of configuration; nothing at all counts as an empty one.
pub(crate) fn section<T: DeserializeOwned + Default>(name: &str, config: &Value) -> Result<T, Failure> {
    if config.is_null() {
        return Ok(T::default());
    }
    T::deserialize(config).map_err(|cause| Failure::invalid(format!("{name}: {cause}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_schema_names_the_keys_that_are_read() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let properties = schema["properties"].as_object().unwrap();
        for (key, property) in properties {
            let value = match property.get("default").or_else(|| property["enum"].get(0)) {
                Some(value) => value.clone(),
                None => json!(1),
            };
            let mut config = json!({ key: value });
            match key.as_str() {
                "memory_limit_bytes" | "tf32" => config["provider"] = json!("cuda"),
                "fp16" => config["provider"] = json!("tensorrt"),
                _ => {}
            }
            assert!(Options::read(&config).is_ok(), "{key}: {:?}", Options::read(&config));
        }
        assert_eq!(schema["additionalProperties"], json!(false));
        let unknown = Options::read(&json!({ "colour": 1 })).unwrap_err();
        assert!(unknown.message.contains("colour"), "{unknown}");
        // Every key of the struct is in the message above and in the schema.
        for key in unknown.message.split('`').skip(3).step_by(2) {
            assert!(properties.contains_key(key), "the schema lacks `{key}`");
        }
    }

    #[test]
    fn keys_that_do_nothing_are_refused() {
        for (config, key) in [
            (json!({ "fp16": true, "provider": "cuda" }), "fp16"),
            (json!({ "tf32": true }), "tf32"),
            (
                json!({ "memory_limit_bytes": 1, "provider": "cpu" }),
                "memory_limit_bytes",
            ),
        ] {
            assert!(Options::read(&config).unwrap_err().message.contains(key), "{config}");
        }
    }

    #[test]
    fn provider_and_device_must_agree() {
        let read = |config| Options::read(&config).unwrap();
        let cuda = Device::Cuda(1);
        assert_eq!(read(json!({})).provider_on(&Device::Cpu), Ok(Provider::Cpu));
        assert_eq!(read(json!({})).provider_on(&cuda), Ok(Provider::Cuda));
        assert_eq!(
            read(json!({ "provider": "tensorrt" })).provider_on(&cuda),
            Ok(Provider::TensorRt)
        );
        assert!(read(json!({ "provider": "cpu" })).provider_on(&cuda).is_err());
        assert!(read(json!({ "provider": "cuda" })).provider_on(&Device::Cpu).is_err());
    }
}
