//! `config.json`: the architecture and its sizes, every size bounded.

use einthoven_plugin_sdk::{Code, Failure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// Largest `config.json` in bytes.
const LARGEST_FILE: usize = 1 << 20;

/// One architecture with its sizes.
pub(crate) enum Config {
    Heartbeat(Heartbeat),
    Ribeiro(Ribeiro),
    Xresnet(Xresnet),
    Inception(Inception),
}

impl Config {
    /// Reads the file `name`.
    pub(crate) fn parse(name: &str, bytes: &[u8]) -> Result<Self, Failure> {
        if bytes.len() > LARGEST_FILE {
            let text = format!(
                "`{name}` has {} bytes, a config has at most {LARGEST_FILE}",
                bytes.len()
            );
            return Err(Failure::invalid(text));
        }
        let mut value: serde_json::Value =
            serde_json::from_slice(bytes).map_err(|cause| Failure::invalid(format!("`{name}`: {cause}")))?;
        let architecture = match value.as_object_mut().map(|object| object.remove("architecture")) {
            Some(Some(serde_json::Value::String(architecture))) => architecture,
            _ => {
                return Err(Failure::invalid(format!(
                    "`{name}` does not name its `architecture`; known are: {}",
                    KNOWN.join(", ")
                )));
            }
        };
        match architecture.as_str() {
            "einthoven-heartbeat" | "einthoven-heartbeat-row" => Ok(Self::Heartbeat(typed(name, value)?)),
            "ribeiro2020-resnet1d" => Ok(Self::Ribeiro(typed(name, value)?)),
            "xresnet1d101" => Ok(Self::Xresnet(typed(name, value)?)),
            "inception1d" => Ok(Self::Inception(typed(name, value)?)),
            _ => Err(Failure::new(
                Code::Unsupported,
                format!(
                    "`{name}`: there is no architecture `{architecture}`; known are: {}",
                    KNOWN.join(", ")
                ),
            )),
        }
    }
}

const KNOWN: [&str; 5] = [
    "einthoven-heartbeat",
    "einthoven-heartbeat-row",
    "ribeiro2020-resnet1d",
    "xresnet1d101",
    "inception1d",
];

fn typed<T: DeserializeOwned>(name: &str, value: serde_json::Value) -> Result<T, Failure> {
    serde_json::from_value(value).map_err(|cause| Failure::invalid(format!("`{name}`: {cause}")))
}

/// `MAX` is the largest value; the smallest is 1.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "usize")]
pub(crate) struct Size<const MAX: usize>(usize);

impl<const MAX: usize> Size<MAX> {
    pub(crate) const ONE: Self = Self(1);

    pub(crate) fn get(self) -> usize {
        self.0
    }
}

impl<const MAX: usize> TryFrom<usize> for Size<MAX> {
    type Error = String;

    fn try_from(value: usize) -> Result<Self, String> {
        if (1..=MAX).contains(&value) {
            Ok(Self(value))
        } else {
            Err(format!("{value} is outside 1 to {MAX}"))
        }
    }
}

/// Channels, features or classes.
pub(crate) type Width = Size<8192>;
/// Samples of a signal.
pub(crate) type Length = Size<1_048_576>;
/// Taps of a convolution.
pub(crate) type Kernel = Size<1024>;

/// The values, when there are 1 to `most` of them.
pub(crate) fn few<'v, T>(what: &str, values: &'v [T], most: usize) -> Result<&'v [T], Failure> {
    if (1..=most).contains(&values.len()) {
        return Ok(values);
    }
    let text = format!("`{what}` has {} entries, it may have 1 to {most}", values.len());
    Err(Failure::invalid(text))
}

/// The signal of a network with one input.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// Name of the tensor.
    pub(crate) name: String,
    /// Leads.
    pub(crate) channels: Width,
    /// Samples of each lead.
    pub(crate) length: Length,
}

/// What the network gives.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Output {
    /// Name of the tensor.
    pub(crate) name: String,
    /// Values of each item.
    pub(crate) classes: Width,
    /// What is done to the last layer's sums.
    pub(crate) activation: Activation,
}

/// The end of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Activation {
    /// Logits.
    None,
    /// Each class for itself.
    Sigmoid,
    /// Classes exclude each other.
    Softmax,
}

/// Our own networks: a convolution over the first input, a dense layer over the second if there is one, joined; the
/// logits of several networks are added.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Heartbeat {
    pub(crate) inputs: Vec<NamedInput>,
    pub(crate) output: Output,
    /// How many networks are averaged; each has its tensors under `net0.`, `net1.` and so on.
    pub(crate) networks: Size<64>,
    /// Sum over all tensors.
    pub(crate) parameters: usize,
    pub(crate) convolutions: Convolutions,
    /// Shape of every tensor.
    pub(crate) layers: BTreeMap<String, Vec<usize>>,
    /// For people.
    #[serde(default, rename = "note")]
    pub(crate) _note: Option<String>,
}

/// An input of any shape.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NamedInput {
    pub(crate) name: String,
    /// Without the batch.
    pub(crate) dims: Vec<Length>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Convolutions {
    pub(crate) strides: Vec<Size<64>>,
    #[serde(rename = "padding")]
    pub(crate) _padding: Padding,
}

/// There is only one way; it is written down for people.
#[derive(Debug, Deserialize)]
pub(crate) enum Padding {
    #[serde(rename = "half the kernel on both sides")]
    Half,
}

/// `ResNet1d` of the authors' PyTorch port: `filters` and `lengths` are what it calls `blocks_dim`, taken apart.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ribeiro {
    pub(crate) input: Input,
    pub(crate) output: Output,
    /// Channels of each residual block; the first also of the layer before the blocks.
    pub(crate) filters: Vec<Width>,
    /// Samples after each block, each a divisor of the one before.
    pub(crate) lengths: Vec<Length>,
    /// Odd.
    pub(crate) kernel_size: Kernel,
}

/// `xresnet1d101` of the benchmark.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Xresnet {
    pub(crate) input: Input,
    pub(crate) output: Output,
    /// Of the residual blocks' middle convolutions, odd; that of the first three layers is always 5.
    pub(crate) kernel_size: Kernel,
    /// Features of the layers between pooling and output (`lin_ftrs_head`; the benchmark has `[128]`).
    pub(crate) hidden: Vec<Width>,
}

/// `inception1d` of the benchmark.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Inception {
    pub(crate) input: Input,
    pub(crate) output: Output,
    /// Of the longest of the three convolutions before it is made odd; the others have a half and a quarter of it.
    pub(crate) kernel_size: Kernel,
    /// Modules, a multiple of three.
    pub(crate) depth: Size<48>,
    /// Channels between a module's input and its convolutions.
    pub(crate) bottleneck: Width,
    /// Channels of each of a module's four branches.
    pub(crate) filters: Width,
    /// As for `xresnet1d101`.
    pub(crate) hidden: Vec<Width>,
}
