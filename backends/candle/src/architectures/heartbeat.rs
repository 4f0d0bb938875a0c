//! Our own networks, as `models/training` writes them: normalisation and temperature are in the weights already.

use crate::config::{Heartbeat, few};
use crate::layer::{ConvSize, Layer, Sequence};
use crate::network::{Described, Member, Network};
use crate::weights::Weights;
use einthoven_plugin_sdk::Failure;

pub(super) fn build(config: &Heartbeat, weights: &mut Weights<'_>) -> Result<Described, Failure> {
    let inputs: Vec<_> = few("inputs", &config.inputs, 2)?
        .iter()
        .map(|input| (input.name.clone(), input.dims.iter().map(|dim| dim.get()).collect()))
        .collect();
    few("convolutions.strides", &config.convolutions.strides, 64)?;
    let members = (0..config.networks.get())
        .map(|index| member(config, index, weights))
        .collect::<Result<Vec<_>, _>>()?;
    check_layers(config)?;
    Network::describe(inputs, members, &config.output)
}

fn member(config: &Heartbeat, index: usize, weights: &mut Weights<'_>) -> Result<Member, Failure> {
    let mut wave = Vec::new();
    for (layer, stride) in config.convolutions.strides.iter().enumerate() {
        let name = format!("net{index}.conv{layer}");
        let [outputs, inputs, kernel] = shape(config, &name)?;
        let size = ConvSize {
            inputs,
            outputs,
            kernel,
            stride: stride.get(),
            padding: kernel / 2,
        };
        wave.extend([Layer::biased_conv(weights, &name, size)?, Layer::Relu]);
    }
    wave.push(Layer::Flatten);
    let mut dense = |layer: &str| {
        let name = format!("net{index}.{layer}");
        let [outputs, inputs] = shape(config, &name)?;
        Layer::dense(weights, &name, None, inputs, outputs)
    };
    wave.extend([dense("wave")?, Layer::Relu]);
    let mut branches = vec![Sequence(wave)];
    let mut head = Vec::new();
    if config.inputs.len() == 2 {
        branches.push(Sequence(vec![dense("context")?, Layer::Relu]));
        head.extend([dense("join")?, Layer::Relu]);
    }
    head.push(dense("out")?);
    Ok(Member {
        branches,
        head: Sequence(head),
    })
}

/// The shape that the config gives for a weight.
fn shape<const N: usize>(config: &Heartbeat, layer: &str) -> Result<[usize; N], Failure> {
    let name = format!("{layer}.weight");
    let dims = config
        .layers
        .get(&name)
        .ok_or_else(|| Failure::invalid(format!("`layers` of the config lacks `{name}`")))?;
    match <[usize; N]>::try_from(dims.as_slice()) {
        Ok(shape) if !shape.contains(&0) => Ok(shape),
        _ => Err(Failure::invalid(format!(
            "`layers` of the config gives `{name}` the shape {dims:?}, it must have {N} dimensions, none of them zero"
        ))),
    }
}

/// The table of the config and its count are the network's too.
fn check_layers(config: &Heartbeat) -> Result<(), Failure> {
    let mut parameters = 0_usize;
    for (name, dims) in &config.layers {
        let count = dims.iter().try_fold(1_usize, |product, &dim| product.checked_mul(dim));
        parameters = count
            .and_then(|count| parameters.checked_add(count))
            .ok_or_else(|| Failure::invalid(format!("`layers` of the config gives `{name}` the shape {dims:?}")))?;
    }
    if parameters == config.parameters {
        return Ok(());
    }
    Err(Failure::invalid(format!(
        "the config says {} parameters, its `layers` have {parameters}",
        config.parameters
    )))
}
