//! Where decoded samples of one lead go: the checksum, the skew and the step to millivolts.

use super::signal_line::SignalSpec;
use crate::readers::Unit;

/// Takes one signal's samples in file order and appends millivolts to a lead.
pub(super) struct Sink<'o> {
    out: &'o mut Vec<f32>,
    /// Length of `out` when the segment is full.
    full: usize,
    /// Samples still to be left out at the start (skew).
    skip: u64,
    /// Samples still to be summed.
    to_sum: u64,
    sum: u16,
    invalid: Option<i32>,
    baseline: f64,
    gain: f64,
    millivolts: f64,
    /// The last value, for formats of differences.
    difference_base: Option<i32>,
}

impl<'o> Sink<'o> {
    /// A sink for `samples` samples of a signal in a voltage unit.
    pub(super) fn new(signal: &SignalSpec, stated: Option<Unit>, samples: u64, out: &'o mut Vec<f32>) -> Option<Self> {
        Some(Self {
            full: out.len().saturating_add(usize::try_from(samples).ok()?),
            out,
            skip: u64::from(signal.skew) * u64::from(signal.per_frame),
            to_sum: samples,
            sum: 0,
            invalid: signal.format.invalid(),
            baseline: signal.baseline as f64,
            gain: signal.gain_or_specified(),
            millivolts: signal.millivolts(stated)?,
            difference_base: (signal.format == super::format::Format::Differences8).then_some(signal.initial),
        })
    }

    #[inline]
    pub(super) fn push(&mut self, stored: i32) {
        let raw = match &mut self.difference_base {
            None => stored,
            Some(base) => {
                *base = base.wrapping_add(stored);
                *base
            }
        };
        if self.to_sum > 0 {
            self.to_sum -= 1;
            self.sum = self.sum.wrapping_add(raw as u16);
        }
        if self.skip > 0 {
            self.skip -= 1;
        } else if self.out.len() < self.full {
            let sample = ((f64::from(raw) - self.baseline) / self.gain * self.millivolts) as f32;
            // A gain near zero makes infinities, which are no samples either.
            let valid = Some(raw) != self.invalid && sample.is_finite();
            self.out.push(if valid { sample } else { f32::NAN });
        }
    }

    /// Fills what the skew left open with NaN and returns the 16-bit sum, or `None` when samples were missing.
    pub(super) fn finish(self) -> Option<u16> {
        self.out.resize(self.full, f32::NAN);
        (self.to_sum == 0).then_some(self.sum)
    }
}
