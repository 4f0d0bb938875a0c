//! R peaks of a lead that goes on: samples come in pieces, peaks come out when they are final.
//!
//! The detector is the one of whole recordings, run over the last seconds ten times a second. A peak is final when what may still
//! come cannot move it: [`SETTLE_S`] after it. It is said once, in order, and does not depend on how the samples were cut into
//! pieces. Only what was there when a peak became final was looked at; the last seconds are kept for whoever classifies it.

use crate::detect::{self, RATES_HZ};

/// Samples that the detector sees at once, seconds: the thresholds follow the last nine stretches of a second and a half.
const LOOK_S: f64 = 15.0;
/// Seconds between two looks.
const STEP_S: f64 = 0.1;
/// A peak this long ago is final: the refractory time, and the reach of the detector's filters.
pub const SETTLE_S: f64 = 0.32;
/// Before this much was seen, thresholds know too little; the first peaks are final then.
const WARM_UP_S: f64 = 3.0;
/// Two peaks are never closer.
const APART_S: f64 = 0.18;

/// A lead that goes on.
#[derive(Debug, Clone)]
pub struct LiveLead {
    rate_hz: f64,
    kept_s: f64,
    /// The last samples, millivolts.
    samples: Vec<f32>,
    /// Samples that came before them.
    before: u64,
    /// Final peaks among the kept samples, counted from the first sample of all.
    peaks: Vec<u64>,
    /// The last final peak of all.
    last: Option<u64>,
}

impl LiveLead {
    /// A lead of that rate, of which the last `kept_s` seconds (15 at least) are kept. None where the rate is not one of
    /// [`RATES_HZ`].
    #[must_use]
    pub fn new(rate_hz: f64, kept_s: f64) -> Option<Self> {
        RATES_HZ.contains(&rate_hz).then(|| Self {
            rate_hz,
            kept_s: kept_s.max(LOOK_S),
            samples: Vec::new(),
            before: 0,
            peaks: Vec::new(),
            last: None,
        })
    }

    /// Samples per second.
    #[must_use]
    pub fn rate_hz(&self) -> f64 {
        self.rate_hz
    }

    /// Samples that have come.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.before + self.samples.len() as u64
    }

    /// Whether none has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Samples until the next look: peaks become final then, and only then.
    #[must_use]
    pub fn until_look(&self) -> usize {
        let step = self.step();
        (step - self.len() % step) as usize
    }

    /// Takes samples in, no more than [`Self::until_look`] (the rest is left out), and gives the peaks that became final.
    pub fn push(&mut self, samples_mv: &[f32]) -> Vec<u64> {
        let taken = samples_mv.len().min(self.until_look());
        self.samples.extend_from_slice(&samples_mv[..taken]);
        if taken == 0 || self.until_look() as u64 != self.step() || (self.len() as f64) < WARM_UP_S * self.rate_hz {
            return Vec::new();
        }
        self.trim();
        let settled = self.len().saturating_sub((SETTLE_S * self.rate_hz).ceil() as u64);
        self.look(settled)
    }

    /// The peaks that are left when no more samples come.
    pub fn finish(&mut self) -> Vec<u64> {
        self.look(self.len())
    }

    /// The kept samples and the number of the first of them.
    #[must_use]
    pub fn kept(&self) -> (&[f32], u64) {
        (&self.samples, self.before)
    }

    /// The final peaks among them, by number.
    #[must_use]
    pub fn peaks(&self) -> &[u64] {
        &self.peaks
    }

    fn step(&self) -> u64 {
        ((STEP_S * self.rate_hz) as u64).max(1)
    }

    /// Final are those up to `settled`.
    fn look(&mut self, settled: u64) -> Vec<u64> {
        let look = (LOOK_S * self.rate_hz) as usize;
        // The window moves by whole seconds, so that it is cut in few ways.
        let second = self.rate_hz.max(1.0) as u64;
        let mut from = self.samples.len().saturating_sub(look);
        let over = ((self.before + from as u64) % second) as usize;
        from = from.saturating_sub(over);
        let apart = (APART_S * self.rate_hz) as u64;
        let mut new = Vec::new();
        for peak in detect::r_peaks(&self.samples[from..], self.rate_hz) {
            let peak = self.before + (from + peak) as u64;
            if peak <= settled && self.last.is_none_or(|last| peak > last + apart) {
                self.last = Some(peak);
                new.push(peak);
            }
        }
        self.peaks.extend_from_slice(&new);
        new
    }

    /// Forgets what is older than the kept seconds, a few seconds at a time.
    fn trim(&mut self) {
        let kept = (self.kept_s * self.rate_hz) as usize;
        let over = self.samples.len().saturating_sub(kept);
        if over as f64 >= 2.0 * self.rate_hz {
            self.samples.drain(..over);
            self.before += over as u64;
            let gone = self.peaks.partition_point(|peak| *peak < self.before);
            self.peaks.drain(..gone);
        }
    }
}

#[cfg(test)]
mod tests;
