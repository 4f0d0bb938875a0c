//! Second-order Butterworth sections and zero-phase filtering.
//!
//! Coefficients by the bilinear transform with prewarping (Oppenheim & Schafer, Discrete-Time Signal Processing, 7.3);
//! the tests hold them to what the design promises: -3 dB at the cutoff, constants kept or removed.

use std::f64::consts::PI;

/// One second-order section, `a0` normalised to one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Section {
    b: [f64; 3],
    a: [f64; 2],
}

impl Section {
    /// Low-pass of order two: -3 dB at `cutoff_hz`, which must lie below half of `rate_hz`.
    #[must_use]
    pub fn low_pass(cutoff_hz: f64, rate_hz: f64) -> Self {
        let k = (PI * cutoff_hz / rate_hz).tan();
        let norm = 1.0 / (1.0 + std::f64::consts::SQRT_2 * k + k * k);
        let b0 = k * k * norm;
        Self {
            b: [b0, 2.0 * b0, b0],
            a: Self::poles(k, norm),
        }
    }

    /// High-pass of order two: -3 dB at `cutoff_hz`, which must lie below half of `rate_hz`.
    #[must_use]
    pub fn high_pass(cutoff_hz: f64, rate_hz: f64) -> Self {
        let k = (PI * cutoff_hz / rate_hz).tan();
        let norm = 1.0 / (1.0 + std::f64::consts::SQRT_2 * k + k * k);
        Self {
            b: [norm, -2.0 * norm, norm],
            a: Self::poles(k, norm),
        }
    }

    fn poles(k: f64, norm: f64) -> [f64; 2] {
        [
            2.0 * (k * k - 1.0) * norm,
            (1.0 - std::f64::consts::SQRT_2 * k + k * k) * norm,
        ]
    }

    /// The state (transposed direct form II) that makes a constant input of one give its steady output at once.
    fn steady_state(&self) -> [f64; 2] {
        let gain = (self.b[0] + self.b[1] + self.b[2]) / (1.0 + self.a[0] + self.a[1]);
        let z1 = self.b[2] - self.a[1] * gain;
        [self.b[1] - self.a[0] * gain + z1, z1]
    }

    /// Filters in place, forwards, starting as if the first sample had lasted for ever.
    pub fn filter(&self, samples: &mut [f64]) {
        let Some(&first) = samples.first() else {
            return;
        };
        let mut z = self.steady_state().map(|value| value * first);
        for x in samples {
            let y = self.b[0] * *x + z[0];
            z[0] = self.b[1] * *x - self.a[0] * y + z[1];
            z[1] = self.b[2] * *x - self.a[1] * y;
            *x = y;
        }
    }
}

/// Filters forwards and backwards so that no phase is shifted; the magnitude response is squared.
///
/// Both ends are extended by odd reflection of `rate_hz` samples (one second) or what there is.
#[must_use]
pub fn zero_phase(samples: &[f64], sections: &[Section], rate_hz: f64) -> Vec<f64> {
    let n = samples.len();
    if n < 2 {
        return samples.to_vec();
    }
    let pad = (rate_hz.ceil() as usize).min(n - 1);
    let (first, last) = (samples[0], samples[n - 1]);
    let mut work = Vec::with_capacity(n + 2 * pad);
    work.extend((1..=pad).rev().map(|i| 2.0 * first - samples[i]));
    work.extend_from_slice(samples);
    work.extend((1..=pad).map(|i| 2.0 * last - samples[n - 1 - i]));
    for section in sections {
        section.filter(&mut work);
    }
    work.reverse();
    for section in sections {
        section.filter(&mut work);
    }
    work.reverse();
    work.drain(..pad);
    work.truncate(n);
    work
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f64, rate: f64, n: usize) -> Vec<f64> {
        (0..n).map(|i| (2.0 * PI * hz * i as f64 / rate).sin()).collect()
    }

    fn rms(samples: &[f64]) -> f64 {
        (samples.iter().map(|x| x * x).sum::<f64>() / samples.len() as f64).sqrt()
    }

    #[test]
    fn the_cutoff_is_at_minus_three_decibels_each_way() {
        for section in [Section::low_pass(20.0, 360.0), Section::high_pass(20.0, 360.0)] {
            let input = tone(20.0, 360.0, 7200);
            let output = zero_phase(&input, &[section], 360.0);
            assert!((rms(&output) / rms(&input) - 0.5).abs() < 0.005);
        }
    }

    #[test]
    fn a_constant_stays_or_vanishes_from_the_first_sample_on() {
        let input = vec![3.0; 500];
        let low = zero_phase(&input, &[Section::low_pass(5.0, 250.0)], 250.0);
        let high = zero_phase(&input, &[Section::high_pass(5.0, 250.0)], 250.0);
        assert!(low.iter().all(|x| (x - 3.0).abs() < 1e-9));
        assert!(high.iter().all(|x| x.abs() < 1e-9));
    }
}
