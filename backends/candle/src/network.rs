//! A network ready to run: inputs, layers, and the end.

use crate::config::{Activation, Output};
use crate::layer::Sequence;
use candle_core::{Device, Result as Computed, Tensor};
use candle_nn::ops::{sigmoid, softmax_last_dim};
use einthoven_plugin_sdk::{Code, DType, Failure, Signature, TensorSpec};

/// Most bytes that one item may take inside one layer: more is a config gone wrong, and no memory for it is no failure
/// that an engine could report.
const LARGEST_ITEM: usize = 2 << 30;

/// Members over the same inputs, whose sums are added.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    members: Vec<Member>,
    activation: Activation,
}

/// One branch for each input, joined feature by feature, and what follows.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) branches: Vec<Sequence>,
    pub(crate) head: Sequence,
}

/// A network with what is known about it.
pub(crate) struct Described {
    pub(crate) network: Network,
    pub(crate) signature: Signature,
    /// Most bytes that one item takes inside one layer.
    pub(crate) item_bytes: usize,
}

impl Network {
    /// Checks that the shapes fit together, from the inputs' names and shapes without the batch to the classes.
    pub(crate) fn describe(
        inputs: Vec<(String, Vec<usize>)>,
        members: Vec<Member>,
        output: &Output,
    ) -> Result<Described, Failure> {
        let classes = output.classes.get();
        let mut peak = 0;
        for member in &members {
            let mut joined = 0;
            for (branch, (_, dims)) in member.branches.iter().zip(&inputs) {
                match branch.shape(dims, &mut peak)?.as_slice() {
                    [features] => joined += features,
                    other => {
                        let text = format!("the config makes no network: a branch ends in shape {other:?}");
                        return Err(Failure::invalid(text));
                    }
                }
            }
            let end = member.head.shape(&[joined], &mut peak)?;
            if end != [classes] {
                let text = format!("the network ends in shape {end:?}, the config says {classes} classes");
                return Err(Failure::invalid(text));
            }
        }
        let item_bytes = peak.saturating_mul(size_of::<f32>());
        if item_bytes > LARGEST_ITEM {
            let text = format!(
                "one item would take {item_bytes} bytes inside one layer, at most {LARGEST_ITEM} are allowed; \
                 take a shorter signal or a smaller kernel"
            );
            return Err(Failure::new(Code::ResourceExhausted, text));
        }
        let spec = |name: &str, dims: &[usize]| TensorSpec {
            name: name.to_owned(),
            dtype: DType::F32,
            dims: std::iter::once(None).chain(dims.iter().copied().map(Some)).collect(),
        };
        Ok(Described {
            signature: Signature {
                inputs: inputs.iter().map(|(name, dims)| spec(name, dims)).collect(),
                outputs: vec![spec(&output.name, &[classes])],
            },
            network: Self {
                members,
                activation: output.activation,
            },
            item_bytes,
        })
    }

    /// `[batch, classes]` for inputs in the signature's order.
    pub(crate) fn forward(&self, inputs: &[Tensor]) -> Computed<Tensor> {
        let mut sums: Option<Tensor> = None;
        for member in &self.members {
            let parts: Vec<_> = member
                .branches
                .iter()
                .zip(inputs)
                .map(|(branch, input)| branch.forward(input))
                .collect::<Computed<_>>()?;
            let joined = match parts.as_slice() {
                [one] => one.clone(),
                several => Tensor::cat(several, 1)?,
            };
            let logits = member.head.forward(&joined)?;
            sums = Some(match sums {
                None => logits,
                Some(sums) => (sums + logits)?,
            });
        }
        let sums = sums.ok_or_else(|| candle_core::Error::Msg("a network without members".to_owned()))?;
        match self.activation {
            Activation::None => Ok(sums),
            Activation::Sigmoid => sigmoid(&sums),
            Activation::Softmax => softmax_last_dim(&sums),
        }
    }

    /// A copy on another device; on the same one it shares the weights.
    pub(crate) fn to_device(&self, device: &Device) -> Computed<Self> {
        let members = self.members.iter().map(|member| {
            Ok(Member {
                branches: member
                    .branches
                    .iter()
                    .map(|branch| branch.to_device(device))
                    .collect::<Computed<_>>()?,
                head: member.head.to_device(device)?,
            })
        });
        Ok(Self {
            members: members.collect::<Computed<_>>()?,
            activation: self.activation,
        })
    }
}
