//! R peaks: where the heart beat.
//!
//! Three steps, each in its own file: an energy that rises with every QRS complex ([`energy`]), a choice among its
//! peaks by thresholds that follow the record ([`choose`]), and the R peak itself at the original rate ([`locate`]).

mod choose;
pub(crate) mod contrast;
mod energy;
mod locate;
mod second;

pub use second::second_opinion;

/// Sampling rates, in hertz, that [`r_peaks`] is meant for; outside it finds nothing.
pub const RATES_HZ: std::ops::RangeInclusive<f64> = 60.0..=4000.0;

/// The sample of every R peak of one lead, in order.
///
/// `samples_mv` in millivolts (any gain and offset will do), NaN where invalid; `rate_hz` samples per second. Where
/// samples are invalid nothing is found. Too short a signal (under half a second) has no beats.
#[must_use]
pub fn r_peaks(samples_mv: &[f32], rate_hz: f64) -> Vec<usize> {
    if !RATES_HZ.contains(&rate_hz) || (samples_mv.len() as f64) < 0.5 * rate_hz {
        return Vec::new();
    }
    let energy = energy::of(samples_mv, rate_hz);
    let complexes = choose::complexes(&energy);
    locate::peaks(samples_mv, rate_hz, &energy, &complexes)
}
