//! `xresnet1d101` of the PTB-XL benchmark (helme/ecg_ptbxl_benchmarking, `code/models/xresnet1d.py`).

use super::pooling_head::pooling_head;
use super::{odd, signal};
use crate::config::Xresnet;
use crate::layer::{ConvSize, Layer, Sequence};
use crate::network::{Described, Member, Network};
use crate::weights::Weights;
use einthoven_plugin_sdk::Failure;

/// Channels of the three first layers.
const STEM: [usize; 3] = [32, 32, 64];
/// Residual blocks of each of the four groups.
const BLOCKS: [usize; 4] = [3, 4, 23, 3];
/// Channels inside a block, and how many times as many go in and out.
const INNER: usize = 64;
const EXPANSION: usize = 4;

pub(super) fn build(config: &Xresnet, weights: &mut Weights<'_>) -> Result<Described, Failure> {
    let kernel = odd(config.kernel_size.get())?;
    // A block has its convolutions under two names, and `save_file` and `save_model` do not write the same one.
    weights.rename(".convpath.0.", ".convs.")?;
    let mut layers = Vec::new();
    let mut channels = config.input.channels.get();
    for (index, outputs) in STEM.into_iter().enumerate() {
        let size = ConvSize::same(channels, outputs, 5).every(if index == 0 { 2 } else { 1 });
        layers.extend([conv_layer(weights, &index.to_string(), size)?, Layer::Relu]);
        channels = outputs;
    }
    layers.push(Layer::MaxPool {
        size: 3,
        stride: 2,
        padding: 1,
    });
    for (group, blocks) in BLOCKS.into_iter().enumerate() {
        for index in 0..blocks {
            let stride = if group > 0 && index == 0 { 2 } else { 1 };
            let name = format!("{}.{index}", group + 4);
            layers.extend([block(weights, &name, channels, stride, kernel)?, Layer::Relu]);
            channels = INNER * EXPANSION;
        }
    }
    let (pool, head) = pooling_head(weights, "8", channels, &config.hidden, &config.output)?;
    layers.push(pool);
    let member = Member {
        branches: vec![Sequence(layers)],
        head,
    };
    Network::describe(signal(&config.input), vec![member], &config.output)
}

fn block(
    weights: &mut Weights<'_>,
    name: &str,
    channels: usize,
    stride: usize,
    kernel: usize,
) -> Result<Layer, Failure> {
    let outputs = INNER * EXPANSION;
    let main = vec![
        conv_layer(weights, &format!("{name}.convs.0"), ConvSize::same(channels, INNER, 1))?,
        Layer::Relu,
        conv_layer(
            weights,
            &format!("{name}.convs.1"),
            ConvSize::same(INNER, INNER, kernel).every(stride),
        )?,
        Layer::Relu,
        conv_layer(weights, &format!("{name}.convs.2"), ConvSize::same(INNER, outputs, 1))?,
    ];
    let mut skip = Vec::new();
    if stride > 1 {
        skip.push(Layer::HalvingMean);
    }
    if channels != outputs {
        let place = format!("{name}.idpath.{}", skip.len());
        skip.push(conv_layer(weights, &place, ConvSize::same(channels, outputs, 1))?);
    }
    Ok(Layer::Sum(vec![Sequence(main), Sequence(skip)]))
}

/// A convolution, `{name}.0`, and its normalisation, `{name}.1`.
fn conv_layer(weights: &mut Weights<'_>, name: &str, size: ConvSize) -> Result<Layer, Failure> {
    let norm = weights.norm(&format!("{name}.1"), size.outputs)?;
    Layer::normed_conv(weights, &format!("{name}.0"), &norm, size)
}
