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
    /// JSON: `inputs` and `outputs` by name, each with `dims` and `values`, and the `tolerance` outputs must meet.
    pub golden_json: &'static str,
}

macro_rules! embedded {
    ($name:literal) => {
        EmbeddedModel {
            name: $name,
            manifest_json: include_str!(concat!("../", $name, "/manifest.json")),
            onnx: include_bytes!(concat!("../", $name, "/model.onnx")),
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
