//! The head of the benchmark's networks: maxima and means of all channels, then normalised dense layers.

use crate::config::{Output, Width, few};
use crate::layer::{Layer, Sequence};
use crate::weights::Weights;
use einthoven_plugin_sdk::Failure;

/// Reads `{name}.2` and on. Places in the sequence are pooling, flattening, and for each dense layer a normalisation,
/// a dropout, the layer and, but for the last, a rectification.
pub(super) fn pooling_head(
    weights: &mut Weights<'_>,
    name: &str,
    channels: usize,
    hidden: &[Width],
    output: &Output,
) -> Result<(Layer, Sequence), Failure> {
    if !hidden.is_empty() {
        few("hidden", hidden, 8)?;
    }
    let mut layers = Vec::new();
    let mut features = 2 * channels;
    let widths = hidden.iter().chain([&output.classes]).map(|width| width.get());
    for (index, width) in widths.enumerate() {
        let place = 2 + 4 * index;
        let norm = weights.norm(&format!("{name}.{place}"), features)?;
        if index > 0 {
            layers.push(Layer::Relu);
        }
        let dense = format!("{name}.{}", place + 2);
        layers.push(Layer::dense(weights, &dense, Some(&norm), features, width)?);
        features = width;
    }
    Ok((Layer::ConcatPool, Sequence(layers)))
}
