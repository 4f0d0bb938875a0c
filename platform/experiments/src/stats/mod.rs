//! The methods, over numbers only. Whatever draws at random does so from a stated seed: the same data give the same figures.

pub mod betting;
pub mod bootstrap;
pub mod kappa;
pub mod ks;
pub mod normal;
pub mod permutation;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// A random stream of its own for each use, so that one figure does not change when another is left out.
pub(crate) fn stream(seed: u64, usage: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(usage);
    random
}

/// The mean; zero of nothing.
#[must_use]
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / (values.len() as f64).max(1.0)
}

/// The standard deviation of a sample (n - 1 below the line); `None` of fewer than two values.
#[must_use]
pub fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}
