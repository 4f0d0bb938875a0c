//! The sampling rate a time column implies.

use super::columns::{Column, Role};
use super::head::Head;
use super::missing_rate;
use crate::readers::error::ReadError;
use crate::recording::Flag;

/// Sampling rates a recorder of the heart may have; they decide between seconds and milliseconds where a time column
/// says neither.
const PLAUSIBLE_HZ: std::ops::RangeInclusive<f64> = 40.0..=20_000.0;

/// Samples per second from the times of all rows, which must be evenly spaced up to the rounding they are printed
/// with.
pub(super) fn rate(
    file: &str,
    head: &Head,
    columns: &[Column],
    times: &[f64],
    flags: &mut Vec<Flag>,
) -> Result<f64, ReadError> {
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return Err(missing_rate(file, "the time column is empty"));
    };
    let rows = times.len();
    let (step, start) = line(times);
    if !(step.is_finite() && step > 0.0 && last > first) {
        return Err(missing_rate(file, "the times in the time column do not increase"));
    }
    let quantum = quantum(times);
    // Half a printed step of rounding at either end of a time, and a tenth of a sample of jitter.
    let tolerance = 1.01 * quantum + 0.1 * step;
    for (row, time) in times.iter().enumerate() {
        let expected = start + step * row as f64;
        if (time - expected).abs() > tolerance || !time.is_finite() {
            return Err(ReadError::malformed(
                file,
                head.data_line + row,
                format!(
                    "the time {time} is off the even spacing of the other rows ({expected:.6} is expected); fill gaps \
                     or send the parts as separate recordings"
                ),
            ));
        }
    }
    let stated = columns
        .iter()
        .find(|column| column.role == Role::Time)
        .and_then(|column| column.seconds);
    let seconds = match stated {
        Some(seconds) => seconds,
        // Whole numbers one apart count samples; they are no time.
        None if (step - 1.0).abs() < 1e-9 && times.iter().all(|time| time.fract() == 0.0) => {
            return Err(missing_rate(
                file,
                "the first column counts samples and does not say how fast they follow",
            ));
        }
        None => {
            let fitting: Vec<f64> = [1.0, 1e-3, 1e-6]
                .into_iter()
                .filter(|unit| PLAUSIBLE_HZ.contains(&(1.0 / (step * unit))))
                .collect();
            let [one] = fitting.as_slice() else {
                return Err(missing_rate(file, "the time column does not say its unit"));
            };
            flags.push(Flag {
                code: "time_unit_inferred".into(),
                detail: format!(
                    "The time column does not say its unit; a step of {step:.6} can only be {}.",
                    if *one == 1.0 {
                        "seconds"
                    } else if *one == 1e-3 {
                        "milliseconds"
                    } else {
                        "microseconds"
                    }
                ),
            });
            *one
        }
    };
    let rate = 1.0 / (step * seconds);
    // Rounding to a quantum is noise of quantum / sqrt(12), which leaves the slope of n times an error of
    // quantum / n^1.5; a whole number within four of those is what was meant.
    let error = 4.0 * quantum / (step * (rows as f64).powf(1.5)) + 1e-9;
    let whole = rate.round();
    Ok(if whole > 0.0 && (rate - whole).abs() <= error * rate {
        whole
    } else {
        rate
    })
}

/// Slope and start of the straight line nearest to the times by least squares.
fn line(times: &[f64]) -> (f64, f64) {
    let middle = (times.len() as f64 - 1.0) / 2.0;
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    let (mut with_time, mut with_row) = (0.0, 0.0);
    for (row, time) in times.iter().enumerate() {
        let row = row as f64 - middle;
        with_time += row * (time - mean);
        with_row += row * row;
    }
    let step = with_time / with_row;
    (step, mean - step * middle)
}

/// The decimal step the times are printed with: the largest power of ten of which the first times are multiples.
fn quantum(times: &[f64]) -> f64 {
    let sample = &times[..times.len().min(1000)];
    (0..=9)
        .map(|places| 10_f64.powi(-places))
        .find(|step| {
            sample
                .iter()
                .all(|time| ((time / step).round() * step - time).abs() < 1e-3 * step)
        })
        .unwrap_or(0.0)
}
