//! The layers that all architectures are made of.

use crate::product::{Convolution, Dense};
use crate::weights::{Norm, Weights};
use candle_core::{D, Device, Result as Computed, Tensor};
use einthoven_plugin_sdk::Failure;

/// Layers one after another.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sequence(pub(crate) Vec<Layer>);

/// One step over a batch: `[batch, channels, length]` before [`Layer::Flatten`] or [`Layer::ConcatPool`],
/// `[batch, features]` after.
#[derive(Debug, Clone)]
pub(crate) enum Layer {
    Conv(Conv),
    /// One factor and one summand for each channel.
    Scale {
        factor: Tensor,
        summand: Tensor,
    },
    /// `weight` is `[in, out]`.
    Dense {
        weight: Tensor,
        bias: Tensor,
    },
    Relu,
    /// Padding repeats the edge, which no maximum notices.
    MaxPool {
        size: usize,
        stride: usize,
        padding: usize,
    },
    /// Means of two; a last one that is left over stays itself.
    HalvingMean,
    Flatten,
    /// The maximum of every channel, then the mean of every channel.
    ConcatPool,
    /// All over the same input, added.
    Sum(Vec<Sequence>),
    /// All over the same input, their channels one after another.
    Concat(Vec<Sequence>),
}

/// A convolution with zero padding on both sides.
#[derive(Debug, Clone)]
pub(crate) struct Conv {
    /// `[out, in, kernel]`.
    weight: Tensor,
    /// `[1, out, 1]`.
    bias: Tensor,
    stride: usize,
    padding: usize,
}

/// Shape of one convolution's weight and how it moves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConvSize {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
}

impl ConvSize {
    /// Stride 1 and half the kernel as padding.
    pub(crate) fn same(inputs: usize, outputs: usize, kernel: usize) -> Self {
        Self {
            inputs,
            outputs,
            kernel,
            stride: 1,
            padding: (kernel - 1) / 2,
        }
    }

    /// The same with another stride.
    pub(crate) fn every(self, stride: usize) -> Self {
        Self { stride, ..self }
    }
}

impl Layer {
    /// The convolution `name` without bias, with nothing behind it.
    pub(crate) fn bare_conv(weights: &mut Weights<'_>, name: &str, size: ConvSize) -> Result<Self, Failure> {
        let values = weights.take(&format!("{name}.weight"), &[size.outputs, size.inputs, size.kernel])?;
        Self::conv(values, vec![0.0; size.outputs], size)
    }

    /// The convolution `name` with the bias `name.bias`.
    pub(crate) fn biased_conv(weights: &mut Weights<'_>, name: &str, size: ConvSize) -> Result<Self, Failure> {
        let values = weights.take(&format!("{name}.weight"), &[size.outputs, size.inputs, size.kernel])?;
        let bias = weights.take(&format!("{name}.bias"), &[size.outputs])?;
        Self::conv(values, bias, size)
    }

    /// The convolution `name` without bias, with a normalisation behind it folded in.
    pub(crate) fn normed_conv(
        weights: &mut Weights<'_>,
        name: &str,
        norm: &Norm,
        size: ConvSize,
    ) -> Result<Self, Failure> {
        let mut values = weights.take(&format!("{name}.weight"), &[size.outputs, size.inputs, size.kernel])?;
        for (row, scale) in values.chunks_exact_mut(size.inputs * size.kernel).zip(&norm.scale) {
            row.iter_mut().for_each(|weight| *weight *= scale);
        }
        Self::conv(values, norm.shift.clone(), size)
    }

    fn conv(weight: Vec<f32>, bias: Vec<f32>, size: ConvSize) -> Result<Self, Failure> {
        Ok(Self::Conv(Conv {
            weight: tensor(weight, &[size.outputs, size.inputs, size.kernel])?,
            bias: tensor(bias, &[1, size.outputs, 1])?,
            stride: size.stride,
            padding: size.padding,
        }))
    }

    /// A normalisation that follows something else than one convolution.
    pub(crate) fn scale(norm: Norm) -> Result<Self, Failure> {
        let dims = [1, norm.scale.len(), 1];
        Ok(Self::Scale {
            factor: tensor(norm.scale, &dims)?,
            summand: tensor(norm.shift, &dims)?,
        })
    }

    /// The dense layer `name`, after a normalisation if there is one.
    pub(crate) fn dense(
        weights: &mut Weights<'_>,
        name: &str,
        norm: Option<&Norm>,
        inputs: usize,
        outputs: usize,
    ) -> Result<Self, Failure> {
        let mut values = weights.take(&format!("{name}.weight"), &[outputs, inputs])?;
        let mut bias = weights.take(&format!("{name}.bias"), &[outputs])?;
        if let Some(norm) = norm {
            for (row, bias) in values.chunks_exact_mut(inputs).zip(&mut bias) {
                let shifted: f64 = row
                    .iter()
                    .zip(&norm.shift)
                    .map(|(w, s)| f64::from(*w) * f64::from(*s))
                    .sum();
                *bias += shifted as f32;
                row.iter_mut()
                    .zip(&norm.scale)
                    .for_each(|(weight, scale)| *weight *= scale);
            }
        }
        let weight = tensor(values, &[outputs, inputs])?.t().and_then(|w| w.contiguous());
        Ok(Self::Dense {
            weight: weight.map_err(Failure::internal)?,
            bias: tensor(bias, &[1, outputs])?,
        })
    }

    fn forward(&self, x: &Tensor) -> Computed<Tensor> {
        match self {
            Self::Conv(conv) => conv.forward(x),
            Self::Scale { factor, summand } => x.broadcast_mul(factor)?.broadcast_add(summand),
            Self::Dense { weight, bias } if x.device().is_cpu() => {
                x.contiguous()?.apply_op3_no_bwd(weight, bias, &Dense)
            }
            Self::Dense { weight, bias } => x.matmul(weight)?.broadcast_add(bias),
            Self::Relu => x.relu(),
            Self::MaxPool { size, stride, padding } => {
                let x = if *padding > 0 {
                    x.pad_with_same(D::Minus1, *padding, *padding)?
                } else {
                    x.clone()
                };
                x.unsqueeze(2)?
                    .max_pool2d_with_stride((1, *size), (1, *stride))?
                    .squeeze(2)
            }
            Self::HalvingMean => {
                let odd = x.dim(D::Minus1)? % 2;
                let x = if odd == 1 {
                    x.pad_with_same(D::Minus1, 0, 1)?
                } else {
                    x.clone()
                };
                x.unsqueeze(2)?.avg_pool2d_with_stride((1, 2), (1, 2))?.squeeze(2)
            }
            Self::Flatten => x.flatten_from(1),
            Self::ConcatPool => Tensor::cat(&[x.max(D::Minus1)?, x.mean(D::Minus1)?], 1),
            Self::Sum(branches) => {
                let mut sum = None;
                for branch in branches {
                    let y = branch.forward(x)?;
                    sum = Some(match sum {
                        None => y,
                        Some(sum) => (sum + y)?,
                    });
                }
                Ok(sum.unwrap_or_else(|| x.clone()))
            }
            Self::Concat(branches) => {
                let parts: Vec<_> = branches
                    .iter()
                    .map(|branch| branch.forward(x))
                    .collect::<Computed<_>>()?;
                Tensor::cat(&parts, 1)
            }
        }
    }

    fn to_device(&self, device: &Device) -> Computed<Self> {
        let all = |branches: &[Sequence]| {
            branches
                .iter()
                .map(|branch| branch.to_device(device))
                .collect::<Computed<_>>()
        };
        Ok(match self {
            Self::Conv(conv) => Self::Conv(Conv {
                weight: conv.weight.to_device(device)?,
                bias: conv.bias.to_device(device)?,
                ..*conv
            }),
            Self::Scale { factor, summand } => Self::Scale {
                factor: factor.to_device(device)?,
                summand: summand.to_device(device)?,
            },
            Self::Dense { weight, bias } => Self::Dense {
                weight: weight.to_device(device)?,
                bias: bias.to_device(device)?,
            },
            Self::Sum(branches) => Self::Sum(all(branches)?),
            Self::Concat(branches) => Self::Concat(all(branches)?),
            same => same.clone(),
        })
    }

    /// The shape of one item after this layer, and into `peak` the most floats that one item takes inside it.
    fn shape(&self, dims: &[usize], peak: &mut usize) -> Result<Vec<usize>, Failure> {
        let refused = |what: &str| {
            Err(Failure::invalid(format!(
                "the config makes no network: {what} cannot take a shape of {dims:?}"
            )))
        };
        let (channels, length) = match dims {
            [channels, length] => (*channels, *length),
            [features] => (*features, 1),
            _ => return refused("a layer"),
        };
        let mut scratch = 0_usize;
        let out = match self {
            Self::Conv(conv) => {
                let (_, inputs, kernel) = conv.weight.dims3().map_err(Failure::internal)?;
                let padded = length + 2 * conv.padding;
                if dims.len() != 2 || channels != inputs || padded < kernel {
                    return refused(&format!("a convolution of {inputs} channels with a kernel of {kernel}"));
                }
                let after = (padded - kernel) / conv.stride + 1;
                scratch = inputs.saturating_mul(kernel).saturating_mul(after);
                vec![conv.outputs(), after]
            }
            Self::Scale { factor, .. } if factor.dims().get(1) == Some(&channels) => dims.to_vec(),
            Self::Dense { weight, .. } => match weight.dims() {
                [inputs, outputs] if dims == [*inputs] => vec![*outputs],
                other => return refused(&format!("a dense layer of {other:?}")),
            },
            Self::Relu => dims.to_vec(),
            Self::MaxPool { size, stride, padding } if length + 2 * padding >= *size => {
                vec![channels, (length + 2 * padding - size) / stride + 1]
            }
            Self::HalvingMean => vec![channels, length.div_ceil(2)],
            Self::Flatten => vec![channels.saturating_mul(length)],
            Self::ConcatPool => vec![2 * channels],
            Self::Sum(branches) => {
                let mut outs = branches.iter().map(|branch| branch.shape(dims, peak));
                let first = outs.next().unwrap_or_else(|| Ok(dims.to_vec()))?;
                for other in outs {
                    let other = other?;
                    if other != first {
                        return Err(Failure::invalid(format!(
                            "the config makes no network: a sum of shapes {first:?} and {other:?}"
                        )));
                    }
                }
                first
            }
            Self::Concat(branches) => {
                let mut total = 0;
                let mut length = None;
                for branch in branches {
                    let out = branch.shape(dims, peak)?;
                    total += out[0];
                    if *length.get_or_insert_with(|| out[1..].to_vec()) != out[1..] {
                        return refused("branches of different lengths");
                    }
                }
                std::iter::once(total).chain(length.unwrap_or_default()).collect()
            }
            Self::Scale { .. } => return refused("a normalisation of other channels"),
            Self::MaxPool { .. } => return refused("a maximum over more samples"),
        };
        let floats = |dims: &[usize]| dims.iter().fold(1_usize, |product, &dim| product.saturating_mul(dim));
        let used = floats(dims)
            .saturating_add(scratch)
            .saturating_add(floats(&out).saturating_mul(2));
        *peak = used.max(*peak);
        Ok(out)
    }
}

impl Conv {
    fn outputs(&self) -> usize {
        self.weight.dims().first().copied().unwrap_or_default()
    }

    fn forward(&self, x: &Tensor) -> Computed<Tensor> {
        if x.device().is_cpu() {
            let op = Convolution {
                stride: self.stride,
                padding: self.padding,
            };
            return x.contiguous()?.apply_op3_no_bwd(&self.weight, &self.bias, &op);
        }
        x.conv1d(&self.weight, self.padding, self.stride, 1, 1)?
            .broadcast_add(&self.bias)
    }
}

impl Sequence {
    pub(crate) fn forward(&self, x: &Tensor) -> Computed<Tensor> {
        self.0.iter().try_fold(x.clone(), |x, layer| layer.forward(&x))
    }

    pub(crate) fn to_device(&self, device: &Device) -> Computed<Self> {
        self.0
            .iter()
            .map(|layer| layer.to_device(device))
            .collect::<Computed<_>>()
            .map(Self)
    }

    pub(crate) fn shape(&self, dims: &[usize], peak: &mut usize) -> Result<Vec<usize>, Failure> {
        self.0
            .iter()
            .try_fold(dims.to_vec(), |dims, layer| layer.shape(&dims, peak))
    }
}

fn tensor(values: Vec<f32>, dims: &[usize]) -> Result<Tensor, Failure> {
    Tensor::from_vec(values, dims, &Device::Cpu).map_err(Failure::internal)
}
