//! The lead at 128 Hz, its windows, and what a stretch of beats shares.

use std::ops::Range;

use super::{BEFORE, Block, RATE_HZ, WINDOW, median};
use crate::dsp::butterworth::{Section, zero_phase};
use crate::dsp::resample::{resample, scale};
use crate::recipe::fill_gaps;

/// Band of the windows, Hz: above the breathing, below most muscle noise.
const BAND_HZ: (f64, f64) = (0.5, 40.0);
/// Half width of the stretch around R in which the QRS height is taken, samples (0.1 s).
const QRS_REACH: usize = 13;
/// QRS heights below this are taken as this, mV: a flat lead is not blown up.
const LEAST_HEIGHT_MV: f32 = 0.05;
/// Most beats that enter a median beat; they are taken evenly.
const TEMPLATE_BEATS: usize = 601;

/// A lead ready to be cut.
#[derive(Debug, Clone)]
pub(super) struct Conditioned {
    samples: Vec<f32>,
    /// R positions in samples at 128 Hz.
    r: Vec<f64>,
}

impl Conditioned {
    pub(super) fn new(samples_mv: &[f32], rate_hz: f64, r_peaks: &[f64]) -> Self {
        let at_rate: Vec<f64> = resample(&fill_gaps(samples_mv), rate_hz, RATE_HZ)
            .into_iter()
            .map(f64::from)
            .collect();
        let band = [
            Section::high_pass(BAND_HZ.0, RATE_HZ),
            Section::low_pass(BAND_HZ.1, RATE_HZ),
        ];
        Self {
            samples: zero_phase(&at_rate, &band, RATE_HZ).iter().map(|&x| x as f32).collect(),
            r: r_peaks.iter().map(|&r| scale(r, rate_hz, RATE_HZ)).collect(),
        }
    }

    /// The window of a beat, interpolated at the fractional R position and multiplied by `gain`. Beyond the ends the
    /// first and last sample last for ever.
    pub(super) fn window(&self, beat: usize, gain: f32) -> [f32; WINDOW] {
        let start = self.r[beat] - BEFORE as f64;
        let base = start.floor();
        let part = (start - base) as f32;
        let base = base as i64;
        let mut window = [0.0; WINDOW];
        if let Ok(first) = usize::try_from(base)
            && let Some(stretch) = self.samples.get(first..=first + WINDOW)
        {
            for (slot, pair) in window.iter_mut().zip(stretch.windows(2)) {
                *slot = (pair[0] + (pair[1] - pair[0]) * part) * gain;
            }
            return window;
        }
        let last = self.samples.len().saturating_sub(1) as i64;
        let at = |index: i64| self.samples.get(index.clamp(0, last) as usize).copied().unwrap_or(0.0);
        for (slot, k) in window.iter_mut().zip(0_i64..) {
            let (a, b) = (at(base + k), at(base + k + 1));
            *slot = (a + (b - a) * part) * gain;
        }
        window
    }

    /// Median QRS height and median beat of a stretch.
    pub(super) fn block(&self, beats: Range<usize>) -> Block {
        let mut heights: Vec<f32> = beats.clone().map(|beat| self.height(beat)).collect();
        let scale = 1.0 / median(&mut heights).max(LEAST_HEIGHT_MV);
        let count = beats.len().min(TEMPLATE_BEATS);
        let windows: Vec<[f32; WINDOW]> = (0..count)
            .map(|k| self.window(beats.start + beats.len() * k / count, scale))
            .collect();
        let mut template = [0.0; WINDOW];
        let mut column = Vec::with_capacity(count);
        for (k, slot) in template.iter_mut().enumerate() {
            column.clear();
            column.extend(windows.iter().map(|window| window[k]));
            *slot = median(&mut column);
        }
        Block { beats, scale, template }
    }

    fn height(&self, beat: usize) -> f32 {
        let center = (self.r[beat].round() as usize).min(self.samples.len().saturating_sub(1));
        let end = (center + QRS_REACH + 1).min(self.samples.len());
        let stretch = &self.samples[center.saturating_sub(QRS_REACH).min(end)..end];
        let (low, high) = stretch
            .iter()
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &x| {
                (low.min(x), high.max(x))
            });
        (high - low).max(0.0)
    }
}
