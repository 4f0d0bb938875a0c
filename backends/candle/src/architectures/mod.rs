//! The architectures: config and weights in, network out.

mod heartbeat;
mod inception;
mod pooling_head;
mod ribeiro;
mod xresnet;

use crate::config::{Config, Input};
use crate::network::Described;
use crate::weights::Weights;
use einthoven_plugin_sdk::Failure;

/// Builds the network of the config; every tensor of the file must have its place in it.
pub(crate) fn build(config: &Config, mut weights: Weights<'_>) -> Result<Described, Failure> {
    let described = match config {
        Config::Heartbeat(config) => heartbeat::build(config, &mut weights),
        Config::Ribeiro(config) => ribeiro::build(config, &mut weights),
        Config::Xresnet(config) => xresnet::build(config, &mut weights),
        Config::Inception(config) => inception::build(config, &mut weights),
    }?;
    weights.finish()?;
    Ok(described)
}

fn signal(input: &Input) -> Vec<(String, Vec<usize>)> {
    vec![(input.name.clone(), vec![input.channels.get(), input.length.get()])]
}

/// A kernel size that has a middle.
fn odd(kernel: usize) -> Result<usize, Failure> {
    if kernel % 2 == 1 {
        return Ok(kernel);
    }
    Err(Failure::invalid(format!(
        "`kernel_size` is {kernel}, this architecture wants an odd one"
    )))
}
