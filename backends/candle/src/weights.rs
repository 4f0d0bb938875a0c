//! The tensors of a safetensors file, handed out once each by name and shape.

use einthoven_plugin_sdk::{Code, Failure};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::collections::BTreeMap;

/// What PyTorch adds to the variance of a batch normalisation.
const EPSILON: f64 = 1e-5;
/// How many names a message lists.
const LISTED: usize = 8;

/// Tensors not yet taken.
pub(crate) struct Weights<'a> {
    file: &'a str,
    tensors: BTreeMap<String, TensorView<'a>>,
}

/// A batch normalisation as one factor and one summand for each channel.
#[derive(Default)]
pub(crate) struct Norm {
    pub(crate) scale: Vec<f32>,
    pub(crate) shift: Vec<f32>,
}

impl Norm {
    /// Norms of `channels` channels each.
    pub(crate) fn split(&self, channels: usize) -> Vec<Self> {
        let parts = self.scale.chunks(channels).zip(self.shift.chunks(channels));
        parts
            .map(|(scale, shift)| Self {
                scale: scale.to_vec(),
                shift: shift.to_vec(),
            })
            .collect()
    }
}

impl<'a> Weights<'a> {
    /// Reads the header; it bounds every tensor by the file's own bytes.
    pub(crate) fn read(file: &'a str, bytes: &'a [u8]) -> Result<Self, Failure> {
        let parsed = SafeTensors::deserialize(bytes)
            .map_err(|cause| Failure::invalid(format!("`{file}` is no safetensors file: {cause}")))?;
        let tensors = parsed
            .tensors()
            .into_iter()
            .filter(|(name, _)| !name.ends_with("num_batches_tracked"))
            .collect();
        Ok(Self { file, tensors })
    }

    /// Gives tensors with `alias` in their name the name with `real` instead. A tensor that is there under both names
    /// must be the same.
    pub(crate) fn rename(&mut self, alias: &str, real: &str) -> Result<(), Failure> {
        let aliases: Vec<String> = self
            .tensors
            .keys()
            .filter(|name| name.contains(alias))
            .cloned()
            .collect();
        for name in aliases {
            let other = name.replace(alias, real);
            let Some(tensor) = self.tensors.remove(&name) else {
                continue;
            };
            let twin = self.tensors.entry(other.clone()).or_insert_with(|| tensor.clone());
            if twin.data() != tensor.data() {
                return Err(Failure::invalid(format!(
                    "tensors `{name}` and `{other}` of `{}` are one in this architecture, but differ",
                    self.file
                )));
            }
        }
        Ok(())
    }

    /// The values of a tensor that must have that shape.
    pub(crate) fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, Failure> {
        let Some(tensor) = self.tensors.remove(name) else {
            return Err(Failure::invalid(format!(
                "`{}` has no tensor `{name}`, the config wants it with shape {shape:?}",
                self.file
            )));
        };
        if tensor.shape() != shape {
            return Err(Failure::invalid(format!(
                "tensor `{name}` of `{}` has shape {:?}, the config wants {shape:?}",
                self.file,
                tensor.shape()
            )));
        }
        values(&tensor).ok_or_else(|| {
            Failure::new(
                Code::Unsupported,
                format!(
                    "tensor `{name}` of `{}` holds {:?}; this engine reads F32, F16, BF16 and F64",
                    self.file,
                    tensor.dtype()
                ),
            )
        })
    }

    /// The batch normalisation of that name.
    pub(crate) fn norm(&mut self, name: &str, channels: usize) -> Result<Norm, Failure> {
        let mut part = |part: &str| self.take(&format!("{name}.{part}"), &[channels]);
        let (weight, bias) = (part("weight")?, part("bias")?);
        let (mean, variance) = (part("running_mean")?, part("running_var")?);
        let mut norm = Norm {
            scale: Vec::with_capacity(channels),
            shift: Vec::with_capacity(channels),
        };
        for channel in 0..channels {
            let deviation = (f64::from(variance[channel]) + EPSILON).sqrt();
            if !(deviation > 0.0 && deviation.is_finite()) {
                return Err(Failure::invalid(format!(
                    "tensor `{name}.running_var` holds {}, which is no variance",
                    variance[channel]
                )));
            }
            let scale = f64::from(weight[channel]) / deviation;
            norm.scale.push(scale as f32);
            norm.shift
                .push((f64::from(bias[channel]) - f64::from(mean[channel]) * scale) as f32);
        }
        Ok(norm)
    }

    /// Checks that every tensor was taken.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        if self.tensors.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = self
            .tensors
            .iter()
            .take(LISTED)
            .map(|(name, tensor)| format!("`{name}` {:?}", tensor.shape()))
            .collect();
        let more = match self.tensors.len().saturating_sub(LISTED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Err(Failure::invalid(format!(
            "`{}` has tensors that the network of the config has not: {}{more}; the config is of another network",
            self.file,
            names.join(", ")
        )))
    }
}

/// The elements as `f32`; nothing for types that are no floating point numbers. The bytes need no alignment.
fn values(tensor: &TensorView<'_>) -> Option<Vec<f32>> {
    let bytes = tensor.data();
    match tensor.dtype() {
        Dtype::F32 => Some(chunks(bytes, f32::from_le_bytes)),
        Dtype::F16 => Some(chunks(bytes, |two| half::f16::from_le_bytes(two).to_f32())),
        Dtype::BF16 => Some(chunks(bytes, |two| half::bf16::from_le_bytes(two).to_f32())),
        Dtype::F64 => Some(chunks(bytes, |eight| f64::from_le_bytes(eight) as f32)),
        _ => None,
    }
}

fn chunks<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|chunk| value(*chunk)).collect()
}
