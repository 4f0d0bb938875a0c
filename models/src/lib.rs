//! The models that come with Einthoven, as bytes: one folder each beside this file, with its card in `CARD.md`.
#![forbid(unsafe_code)]

/// One model: its manifest, its graph, and outputs to check a loaded graph against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmbeddedModel {
    /// The name it is served under.
    pub name: &'static str,
    /// JSON: version, recipe, inputs, outputs, labels, calibration, training data, and each file's SHA-256.
    pub manifest_json: &'static str,
    /// ONNX, 32-bit floats, any number of beats (dimension `N`).
    pub onnx: &'static [u8],
    /// The same network for TensorFlow Lite.
    pub tflite: &'static [u8],
    /// The same weights by the names PyTorch gives them.
    pub safetensors: &'static [u8],
    /// JSON: how the weights make a network.
    pub config_json: &'static str,
    /// JSON: `inputs` and `outputs` by name, each with `dims` and `values`, and the `tolerance` outputs must meet.
    pub golden_json: &'static str,
}

impl EmbeddedModel {
    /// Its files by name, as they lie in a package.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, &'static [u8])> {
        [
            ("manifest.json", self.manifest_json.as_bytes()),
            ("golden.json", self.golden_json.as_bytes()),
            ("model.onnx", self.onnx),
            ("model.tflite", self.tflite),
            ("model.safetensors", self.safetensors),
            ("config.json", self.config_json.as_bytes()),
        ]
        .into_iter()
    }
}

macro_rules! embedded {
    ($name:literal) => {
        EmbeddedModel {
            name: $name,
            manifest_json: include_str!(concat!("../", $name, "/manifest.json")),
            onnx: include_bytes!(concat!("../", $name, "/model.onnx")),
            tflite: include_bytes!(concat!("../", $name, "/model.tflite")),
            safetensors: include_bytes!(concat!("../", $name, "/model.safetensors")),
            config_json: include_str!(concat!("../", $name, "/config.json")),
            golden_json: include_str!(concat!("../", $name, "/golden.json")),
        }
    };
}

/// All embedded models; the first is the default.
#[must_use]
pub fn embedded() -> &'static [EmbeddedModel] {
    const MODELS: &[EmbeddedModel] = &[embedded!("heartbeat"), embedded!("heartbeat-row")];
    MODELS
}

/// The embedded model of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static EmbeddedModel> {
    embedded().iter().find(|model| model.name == name)
}
