//! `ResNet1d` of Ribeiro et al. 2020 as its authors' PyTorch port has it (antonior92/ecg-age-prediction, `resnet.py`).
//!
//! The port has a residual block of stride 1 at the first length and no rectification before it; the Keras original
//! differs in both, so its weights are not these.

use super::{odd, signal};
use crate::config::{Ribeiro, few};
use crate::layer::{ConvSize, Layer, Sequence};
use crate::network::{Described, Member, Network};
use crate::weights::Weights;
use einthoven_plugin_sdk::Failure;

/// In the port a block takes and gives two signals, one before and one after its last normalisation and rectification.
/// The second is a function of the first, so here only the first goes from block to block, and `opening` makes the
/// second from it.
pub(super) fn build(config: &Ribeiro, weights: &mut Weights<'_>) -> Result<Described, Failure> {
    let kernel = odd(config.kernel_size.get())?;
    few("filters", &config.filters, 64)?;
    if config.lengths.len() != config.filters.len() {
        return Err(Failure::invalid(format!(
            "`lengths` has {} entries and `filters` {}; both have one for each block",
            config.lengths.len(),
            config.filters.len()
        )));
    }
    let mut channels = config.filters[0].get();
    let mut length = config.lengths[0].get();
    let first = ConvSize {
        padding: padding(factor(config.input.length.get(), length)?, kernel),
        ..ConvSize::same(config.input.channels.get(), channels, kernel)
            .every(factor(config.input.length.get(), length)?)
    };
    let norm = weights.norm("bn1", channels)?;
    let mut layers = vec![Layer::normed_conv(weights, "conv1", &norm, first)?];
    let mut opening = Vec::new();
    for (block, (filters, samples)) in config.filters.iter().zip(&config.lengths).enumerate() {
        let name = format!("resblock1d_{block}");
        let (filters, samples) = (filters.get(), samples.get());
        let stride = factor(length, samples)?;
        let norm = weights.norm(&format!("{name}.bn1"), filters)?;
        let mut main = std::mem::take(&mut opening);
        main.push(Layer::normed_conv(
            weights,
            &format!("{name}.conv1"),
            &norm,
            ConvSize::same(channels, filters, kernel),
        )?);
        main.push(Layer::Relu);
        let second = ConvSize {
            padding: padding(stride, kernel),
            ..ConvSize::same(filters, filters, kernel).every(stride)
        };
        main.push(Layer::bare_conv(weights, &format!("{name}.conv2"), second)?);
        let mut skip = Vec::new();
        if stride > 1 {
            skip.push(Layer::MaxPool {
                size: stride,
                stride,
                padding: 0,
            });
        }
        if channels != filters {
            let place = format!("{name}.skip_connection.{}", skip.len());
            skip.push(Layer::bare_conv(weights, &place, ConvSize::same(channels, filters, 1))?);
        }
        layers.push(Layer::Sum(vec![Sequence(main), Sequence(skip)]));
        opening = vec![
            Layer::scale(weights.norm(&format!("{name}.bn2"), filters)?)?,
            Layer::Relu,
        ];
        (channels, length) = (filters, samples);
    }
    layers.append(&mut opening);
    layers.push(Layer::Flatten);
    let head = Layer::dense(weights, "lin", None, channels * length, config.output.classes.get())?;
    let member = Member {
        branches: vec![Sequence(layers)],
        head: Sequence(vec![head]),
    };
    Network::describe(signal(&config.input), vec![member], &config.output)
}

/// By how much a length falls.
fn factor(before: usize, after: usize) -> Result<usize, Failure> {
    if before.is_multiple_of(after) {
        return Ok(before / after);
    }
    Err(Failure::invalid(format!(
        "`lengths` goes from {before} to {after} samples; each must divide the one before"
    )))
}

fn padding(stride: usize, kernel: usize) -> usize {
    (kernel + 1).saturating_sub(stride) / 2
}
