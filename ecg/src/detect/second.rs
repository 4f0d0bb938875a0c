//! A second detector of another principle, for telling good signal from bad: where both agree, a beat is a beat.
//!
//! Curve length of the smoothed lead over 130 ms (after the idea of Zong, Moody & Jiang 2003, Computers in Cardiology
//! 30:737): it answers to any movement, while [`super::r_peaks`] answers to QRS frequencies alone. On clean leads both
//! find the same beats; noise that one takes for beats the other takes for others.

use super::choose;
use super::energy::{averaged, moving_average};

/// Length of the curve that is measured.
const LENGTH_S: f64 = 0.13;
/// Share of the local level that a beat must reach; between a T wave's and a small QRS's.
const SHARE: f32 = 0.45;

/// Times (samples at the original rate) of beats by curve length; positions are coarse, within a QRS complex.
#[must_use]
pub fn second_opinion(samples_mv: &[f32], rate_hz: f64) -> Vec<usize> {
    if !super::RATES_HZ.contains(&rate_hz) || (samples_mv.len() as f64) < 0.5 * rate_hz {
        return Vec::new();
    }
    let factor = super::energy::factor(rate_hz);
    let rate = rate_hz / factor as f64;
    let width = |seconds: f64| ((seconds * rate).round() as usize).max(1) | 1;
    let smooth = moving_average(&averaged(samples_mv, factor), width(0.03));
    let steps: Vec<f32> = (0..smooth.len())
        .map(|i| (smooth[(i + 1).min(smooth.len() - 1)] - smooth[i.saturating_sub(1)]).abs())
        .collect();
    let length = moving_average(&steps, width(LENGTH_S));
    let peaks = choose::local_maxima(&length, (0.25 * rate) as usize);
    let levels = choose::local_levels(&length, rate, &peaks);
    peaks
        .iter()
        .zip(levels)
        .filter(|&(&peak, level)| length[peak] >= SHARE * level)
        .map(|(peak, _)| peak * factor)
        .collect()
}
