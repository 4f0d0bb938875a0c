//! Power in bands, of windows averaged down to about 120 samples a second.

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use std::sync::Arc;

/// Reused plan and buffers.
pub(super) struct Spectrum {
    rate_hz: f64,
    factor: usize,
    size: usize,
    plan: Arc<dyn RealToComplex<f32>>,
    input: Vec<f32>,
    output: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    taper: Vec<f32>,
}

impl Spectrum {
    /// For windows of `length` samples at `rate_hz`.
    pub(super) fn new(rate_hz: f64, length: usize) -> Self {
        let factor = ((rate_hz / 120.0) as usize).max(1);
        let size = (length / factor).max(2);
        let plan = RealFftPlanner::new().plan_fft_forward(size);
        let taper = (0..size)
            .map(|i| 0.5 - 0.5 * (2.0 * std::f32::consts::PI * (i as f32 + 0.5) / size as f32).cos())
            .collect();
        Self {
            rate_hz: rate_hz / factor as f64,
            factor,
            size,
            input: plan.make_input_vec(),
            output: plan.make_output_vec(),
            scratch: plan.make_scratch_vec(),
            plan,
            taper,
        }
    }

    /// pSQI and basSQI of a window (Zhao and Zhang 2018, Frontiers in Physiology 9:727).
    pub(super) fn indices(&mut self, samples: &[f32]) -> (f32, f32) {
        let mut sum = 0.0;
        let mut count = 0;
        let mut last = 0.0;
        for (slot, chunk) in self
            .input
            .iter_mut()
            .zip(samples.chunks(self.factor).chain(std::iter::repeat(&[][..])))
        {
            let mean = chunk.iter().sum::<f32>() / chunk.len() as f32;
            if mean.is_finite() {
                last = mean;
            }
            *slot = last;
            sum += last;
            count += 1;
        }
        let mean = sum / count.max(1) as f32;
        for (slot, taper) in self.input.iter_mut().zip(&self.taper) {
            *slot = (*slot - mean) * taper;
        }
        if self
            .plan
            .process_with_scratch(&mut self.input, &mut self.output, &mut self.scratch)
            .is_err()
        {
            return (f32::NAN, f32::NAN);
        }
        let per_bin = self.rate_hz / self.size as f64;
        let band = |low: f64, high: f64| -> f32 {
            let bins = (low / per_bin).ceil() as usize..((high / per_bin).ceil() as usize).min(self.output.len());
            self.output
                .get(bins)
                .unwrap_or_default()
                .iter()
                .map(|bin| bin.norm_sqr())
                .sum()
        };
        (
            band(5.0, 15.0) / band(5.0, 40.0),
            1.0 - band(0.0, 1.0) / band(0.0, 40.0),
        )
    }
}
