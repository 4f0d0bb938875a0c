//! The first 21 values of `rr`: a beat's intervals against those around it.
//!
//! With r the interval before the beat, q the one after, both clipped to 0.1 to 5 s and repeated at the ends, and L
//! the natural logarithm. Names of the references: `m10` median of the ten intervals before; `m40` mean of the middle
//! 25 of the 41 around; `p80` the 33rd of the sorted 41; `mrec` mean of the middle 80 % of the recording; `d` the
//! step |L r - L of the r before|; `af` the least, over lags 1 to 3, of the median |L r - L of the r that many before|:
//! small in bigeminy and trigeminy, large where the rhythm is irregularly irregular.

use std::ops::Range;

use super::median;

/// Values per beat.
pub const COUNT: usize = 21;

/// Intervals of a recording and their logarithms.
#[derive(Debug, Clone)]
pub struct Rhythm {
    /// Interval before each beat, seconds.
    rr: Vec<f32>,
    /// Its natural logarithm.
    log: Vec<f32>,
}

impl Rhythm {
    /// From the beats' times in seconds.
    #[must_use]
    pub fn new(times_s: &[f64]) -> Self {
        let mut rr: Vec<f32> = times_s
            .windows(2)
            .map(|pair| ((pair[1] - pair[0]) as f32).clamp(0.1, 5.0))
            .collect();
        rr.insert(0, rr.first().copied().unwrap_or(0.8));
        let log = rr.iter().map(|r| r.ln()).collect();
        Self { rr, log }
    }

    /// |L r of the beat - L r of the one `lag` beats before|; zero where there is none.
    pub(super) fn step(&self, beat: usize, lag: usize) -> f32 {
        beat.checked_sub(lag)
            .and_then(|before| Some((self.log.get(beat)? - self.log.get(before)?).abs()))
            .unwrap_or(0.0)
    }

    /// Least over lags 1 to 3 of the median step within `reach` beats, over beats for which `counts` holds.
    pub(super) fn irregularity(&self, beat: usize, reach: usize, counts: impl Fn(usize) -> bool) -> f32 {
        let (from, to) = around(beat, reach, self.rr.len());
        let mut steps = Vec::with_capacity(2 * reach + 1);
        let mut least = f32::INFINITY;
        for lag in 1..=3 {
            steps.clear();
            steps.extend(
                (from.max(lag)..to)
                    .filter(|&i| (i - lag..=i).all(&counts))
                    .map(|i| self.step(i, lag)),
            );
            if !steps.is_empty() {
                least = least.min(median(&mut steps));
            }
        }
        if least.is_finite() { least } else { 0.0 }
    }

    /// The features of all beats; `blocks` are the stretches that count as one recording.
    pub(super) fn features(&self, blocks: &[Range<usize>]) -> Vec<[f32; COUNT]> {
        let n = self.rr.len();
        let mut near = Sorted::new(&self.rr, 20);
        let mut far = Sorted::new(&self.rr, 60);
        let mut all = Vec::with_capacity(n);
        for block in blocks {
            let mut sorted = self.rr[block.clone()].to_vec();
            sorted.sort_unstable_by(f32::total_cmp);
            let tenth = sorted.len() / 10;
            let middle = &sorted[tenth..sorted.len() - tenth];
            let whole = middle.iter().sum::<f32>() / middle.len().max(1) as f32;
            let slow = sorted[(sorted.len() * 9 / 10).min(sorted.len() - 1)];
            for beat in block.clone() {
                all.push(self.one(beat, near.at(beat), far.at(beat), whole, slow));
            }
        }
        all
    }

    fn one(&self, beat: usize, near: &[f32], far: &[f32], whole: f32, slow: f32) -> [f32; COUNT] {
        let last = self.rr.len() - 1;
        let log = |index: usize| self.log[index.min(last)];
        let (r, q) = (log(beat), log(beat + 1));
        let (r_before, q_after) = (log(beat.saturating_sub(1)), log(beat + 2));
        let mut ten: Vec<f32> = self.rr[beat.saturating_sub(10)..beat.max(1)].to_vec();
        let m10 = median(&mut ten).ln();
        // The middle 25 of 41, and in proportion where the recording is shorter.
        let share = |part: usize, of: usize, len: usize| (len * part / of).min(len - 1);
        let (low, high) = (share(8, 41, near.len()), share(33, 41, near.len()).max(1));
        let trimmed = &near[low.min(high - 1)..high];
        let m40 = (trimmed.iter().sum::<f32>() / trimmed.len() as f32).ln();
        let p80 = near[share(32, 41, near.len())].ln();
        let p75 = far[share(91, 121, far.len())].ln();
        let (from, to) = around(beat, 10, self.rr.len());
        let mut steps: Vec<f32> = (from..to).map(|i| self.step(i, 1)).collect();
        let (from, to) = around(beat, 20, self.rr.len());
        let logs = &self.log[from..to];
        let mean = logs.iter().sum::<f32>() / logs.len() as f32;
        let variance = logs.iter().map(|l| (l - mean) * (l - mean)).sum::<f32>() / logs.len() as f32;
        let shorter = near.partition_point(|&other| other < self.rr[beat] - 0.02) as f32 / near.len() as f32;
        [
            r - m10,
            q - m10,
            r - q,
            r - m40,
            q - m40,
            r - whole.ln(),
            q - whole.ln(),
            r - p80,
            r_before - m40,
            q_after - m40,
            r - r_before,
            q - q_after,
            3.0 * median(&mut steps),
            2.0 * variance.sqrt(),
            m40 - 0.8_f32.ln(),
            r - 0.8_f32.ln(),
            3.0 * self.irregularity(beat, 10, |_| true),
            3.0 * self.irregularity(beat, 20, |_| true),
            r - slow.ln(),
            r - p75,
            shorter - 0.5,
        ]
    }
}

/// The beats within `reach` of one, as a half-open range inside the recording.
pub(super) fn around(beat: usize, reach: usize, beats: usize) -> (usize, usize) {
    (beat.saturating_sub(reach), (beat + reach + 1).min(beats))
}

/// The values within `reach` of a rising index, kept sorted.
struct Sorted<'a> {
    values: &'a [f32],
    reach: usize,
    range: Range<usize>,
    sorted: Vec<f32>,
}

impl<'a> Sorted<'a> {
    fn new(values: &'a [f32], reach: usize) -> Self {
        Self {
            values,
            reach,
            range: 0..0,
            sorted: Vec::with_capacity(2 * reach + 2),
        }
    }

    /// Must be asked for rising indices.
    fn at(&mut self, index: usize) -> &[f32] {
        let (from, to) = around(index, self.reach, self.values.len());
        while self.range.end < to {
            let value = self.values[self.range.end];
            let place = self.sorted.partition_point(|&other| other < value);
            self.sorted.insert(place, value);
            self.range.end += 1;
        }
        while self.range.start < from {
            let value = self.values[self.range.start];
            let place = self.sorted.partition_point(|&other| other < value);
            self.sorted.remove(place);
            self.range.start += 1;
        }
        &self.sorted
    }
}
