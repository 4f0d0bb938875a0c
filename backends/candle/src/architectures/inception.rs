//! `inception1d` of the PTB-XL benchmark (helme/ecg_ptbxl_benchmarking, `code/models/inception1d.py`).

use super::pooling_head::pooling_head;
use super::signal;
use crate::config::Inception;
use crate::layer::{ConvSize, Layer, Sequence};
use crate::network::{Described, Member, Network};
use crate::weights::Weights;
use einthoven_plugin_sdk::Failure;

/// Branches of a module: three convolutions behind the bottleneck and one behind a maximum.
const BRANCHES: usize = 4;
/// Modules that one shortcut spans.
const SPAN: usize = 3;

pub(super) fn build(config: &Inception, weights: &mut Weights<'_>) -> Result<Described, Failure> {
    let depth = config.depth.get();
    if !depth.is_multiple_of(SPAN) {
        return Err(Failure::invalid(format!(
            "`depth` is {depth}, this architecture wants a multiple of {SPAN}"
        )));
    }
    if config.kernel_size.get() < 4 {
        let text = format!(
            "`kernel_size` is {}, its quarter must be 1 at least",
            config.kernel_size.get()
        );
        return Err(Failure::invalid(text));
    }
    let wide = BRANCHES * config.filters.get();
    let mut channels = config.input.channels.get();
    let mut layers = Vec::new();
    for span in 0..depth / SPAN {
        let name = format!("layers.0.sk.{span}");
        let norm = weights.norm(&format!("{name}.bn"), wide)?;
        let size = ConvSize::same(channels, wide, 1);
        let shortcut = Layer::normed_conv(weights, &format!("{name}.conv"), &norm, size)?;
        let mut main = Vec::new();
        for index in span * SPAN..(span + 1) * SPAN {
            main.extend([module(config, weights, index, channels)?, Layer::Relu]);
            channels = wide;
        }
        layers.extend([Layer::Sum(vec![Sequence(main), Sequence(vec![shortcut])]), Layer::Relu]);
    }
    let (pool, head) = pooling_head(weights, "layers.1", wide, &config.hidden, &config.output)?;
    layers.push(pool);
    let member = Member {
        branches: vec![Sequence(layers)],
        head,
    };
    Network::describe(signal(&config.input), vec![member], &config.output)
}

/// The four branches; their common normalisation is folded into each one's convolution.
fn module(config: &Inception, weights: &mut Weights<'_>, index: usize, channels: usize) -> Result<Layer, Failure> {
    let name = format!("layers.0.im.{index}");
    let (bottleneck, filters) = (config.bottleneck.get(), config.filters.get());
    let mut norms = weights
        .norm(&format!("{name}.bn_relu.0"), BRANCHES * filters)?
        .split(filters)
        .into_iter();
    let mut next = || norms.next().unwrap_or_default();
    let narrow = Layer::bare_conv(
        weights,
        &format!("{name}.bottleneck"),
        ConvSize::same(channels, bottleneck, 1),
    )?;
    let mut convs = Vec::new();
    for (place, divisor) in [1, 2, 4].into_iter().enumerate() {
        let whole = config.kernel_size.get() / divisor;
        let kernel = if whole.is_multiple_of(2) { whole - 1 } else { whole };
        let size = ConvSize::same(bottleneck, filters, kernel);
        let conv = Layer::normed_conv(weights, &format!("{name}.convs.{place}"), &next(), size)?;
        convs.push(Sequence(vec![conv]));
    }
    let size = ConvSize::same(channels, filters, 1);
    let pooled = Layer::normed_conv(weights, &format!("{name}.conv_bottle.1"), &next(), size)?;
    let maximum = Layer::MaxPool {
        size: 3,
        stride: 1,
        padding: 1,
    };
    Ok(Layer::Concat(vec![
        Sequence(vec![narrow, Layer::Concat(convs)]),
        Sequence(vec![maximum, pooled]),
    ]))
}
