//! Inputs and outputs of a model, as MLflow writes them down.

use serde::{Deserialize, Deserializer};

/// What a model takes and gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signature {
    /// Empty when MLflow knows none.
    pub inputs: Vec<Spec>,
    /// Empty when MLflow knows none.
    pub outputs: Vec<Spec>,
}

/// One input or output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spec {
    /// A tensor.
    Tensor {
        /// Absent for a model's only one.
        name: Option<String>,
        /// As NumPy calls it, such as `float32`.
        dtype: String,
        /// -1 for a dimension that is open.
        shape: Vec<i64>,
    },
    /// A column of a data frame.
    Column {
        /// Absent for columns that are known by their place.
        name: Option<String>,
        /// As MLflow calls it, such as `double`, `long`, `string`, `array`.
        kind: String,
        /// Whether it may not be left out.
        required: bool,
    },
}

impl Spec {
    /// Its name, where it has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Tensor { name, .. } | Self::Column { name, .. } => name.as_deref(),
        }
    }
}

#[derive(Deserialize)]
struct WireSignature {
    #[serde(default)]
    inputs: Option<String>,
    #[serde(default)]
    outputs: Option<String>,
}

#[derive(Deserialize)]
struct WireSpec {
    #[serde(default)]
    name: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, rename = "tensor-spec")]
    tensor: Option<WireTensor>,
    #[serde(default = "yes")]
    required: bool,
}

#[derive(Deserialize)]
struct WireTensor {
    dtype: String,
    shape: Vec<i64>,
}

fn yes() -> bool {
    true
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let wire = WireSignature::deserialize(from)?;
        Ok(Self {
            inputs: specs(wire.inputs.as_deref()).map_err(serde::de::Error::custom)?,
            outputs: specs(wire.outputs.as_deref()).map_err(serde::de::Error::custom)?,
        })
    }
}

/// MLflow writes JSON as text within the YAML.
fn specs(json: Option<&str>) -> Result<Vec<Spec>, serde_json::Error> {
    let Some(json) = json else {
        return Ok(Vec::new());
    };
    let wire: Vec<WireSpec> = serde_json::from_str(json)?;
    Ok(wire
        .into_iter()
        .map(|spec| match spec.tensor {
            Some(tensor) => Spec::Tensor {
                name: spec.name,
                dtype: tensor.dtype,
                shape: tensor.shape,
            },
            None => Spec::Column {
                name: spec.name,
                kind: spec.kind,
                required: spec.required,
            },
        })
        .collect())
}
