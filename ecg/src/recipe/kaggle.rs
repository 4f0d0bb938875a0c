//! `kaggle-heartbeat-v1`: the rows of the public "ECG Heartbeat Categorization" tables, as they were really made.
//!
//! The published description differs from the tables; this rule reproduces them from the MIT-BIH records to print
//! precision. From each mark (there: every annotation; here: every R peak) up to a fifth into the interval after the
//! next, every third of the samples at 360 Hz without a low-pass, 187 at most, scaled to 0..1 over the row, zeros
//! behind. The row starts at the R peak, so neither the P wave nor how early the beat came is in it.

use std::ops::Range;

use super::{RecipeError, Tensor, fill_gaps};
use crate::dsp::resample::{resample, scale};

/// Values in a row.
pub const ROW: usize = 187;
/// The rate the rule counts samples at, Hz.
pub const RATE_HZ: f64 = 360.0;
/// One sample in so many is kept, which makes 120 Hz.
const STEP: usize = 3;

/// One row: from `mark` to `next` and a fifth of the way on to `after_next`, all in samples of `samples` at 360 Hz.
///
/// `None` when the marks do not rise or nothing lies between them. A constant stretch gives zeros.
#[must_use]
pub fn row(samples: &[f32], mark: u64, next: u64, after_next: u64) -> Option<[f32; ROW]> {
    let (own, following) = (next.checked_sub(mark)?, after_next.checked_sub(next)?);
    let length = (own as f64 + 0.2 * following as f64) as usize;
    let start = usize::try_from(mark).ok()?;
    let end = start.checked_add(length)?.min(samples.len());
    let stretch = samples.get(start..end).filter(|stretch| !stretch.is_empty())?;
    let mut row = [0.0; ROW];
    let (mut low, mut high, mut count) = (f32::INFINITY, f32::NEG_INFINITY, 0);
    for (slot, &value) in row.iter_mut().zip(stretch.iter().step_by(STEP)) {
        *slot = value;
        (low, high, count) = (low.min(value), high.max(value), count + 1);
    }
    let span = high - low;
    for value in &mut row[..count] {
        *value = if span > 0.0 { (*value - low) / span } else { 0.0 };
    }
    Some(row)
}

/// Rows for a lead's beats.
#[derive(Debug, Clone)]
pub struct Rows {
    rows: Vec<[f32; ROW]>,
}

impl Rows {
    /// At a rate other than 360 Hz the lead is resampled (which includes the low-pass) and positions are rounded once.
    /// The last beat has no row; the one before it takes its own interval for the one it lacks.
    pub(super) fn prepare(samples_mv: &[f32], rate_hz: f64, r_peaks: &[f64]) -> Result<Self, RecipeError> {
        if r_peaks.len() < 2 {
            return Err(RecipeError::TooFewBeats {
                found: r_peaks.len(),
                needed: 2,
            });
        }
        let samples = resample(&fill_gaps(samples_mv), rate_hz, RATE_HZ);
        let mut marks: Vec<u64> = r_peaks
            .iter()
            .map(|&r| scale(r, rate_hz, RATE_HZ).round() as u64)
            .collect();
        if let [.., a, b] = marks[..] {
            marks.push(b + (b - a));
        }
        let rows = marks
            .windows(3)
            .map(|m| row(&samples, m[0], m[1], m[2]).unwrap_or([0.0; ROW]))
            .collect();
        Ok(Self { rows })
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn tensors(&self, range: Range<usize>) -> Vec<Tensor> {
        vec![Tensor {
            name: "row",
            dims: vec![range.len(), 1, ROW],
            values: self.rows[range].concat(),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_runs_a_fifth_into_the_next_interval_and_spans_zero_to_one() {
        let samples: Vec<f32> = (0..2000).map(|i| i as f32).collect();
        let row = row(&samples, 100, 400, 700).unwrap();
        // 300 + 0.2 x 300 = 360 samples, every third: 120 values.
        assert_eq!(row[0], 0.0);
        assert_eq!(row[119], 1.0);
        assert!(row[120..].iter().all(|&x| x == 0.0));
    }

    #[test]
    fn long_intervals_are_cropped_and_flat_ones_are_zero() {
        let samples: Vec<f32> = (0..4000).map(|i| i as f32).collect();
        assert_eq!(row(&samples, 0, 1800, 3600).unwrap()[186], 1.0);
        assert_eq!(row(&[2.0; 900], 0, 300, 600).unwrap(), [0.0; ROW]);
        assert_eq!(row(&samples, 10, 9, 20), None);
        assert_eq!(row(&samples, 5000, 5300, 5600), None);
    }

    #[test]
    fn every_beat_but_the_last_has_a_row() {
        let rows = Rows::prepare(&[0.0; 500], 128.0, &[10.0, 138.0, 266.0, 394.0]).unwrap();
        assert_eq!(rows.len(), 3);
        assert_eq!(rows.tensors(1..3)[0].dims, [2, 1, ROW]);
    }
}
