//! Resampling between any two rates by a windowed sinc.
//!
//! A Kaiser-windowed low-pass (Kaiser 1974: beta 8 is 80 dB) is tabulated once per conversion. Rates in a small
//! whole-number ratio (360 to 128 is 16 phases) use the exact phase; any other ratio (512.844 to 128) interpolates
//! between 512 phases. Positions in time stay real numbers: [`scale`] carries annotations across without rounding.

use std::f64::consts::PI;

/// Zero crossings of the sinc on either side.
const CROSSINGS: f64 = 18.0;
/// Where the filter's half-amplitude point lies, as a share of the lower of the two Nyquist frequencies: the stop band
/// then begins at that frequency and 75 % of the band passes untouched.
const ROLLOFF: f64 = 0.87;
const KAISER_BETA: f64 = 8.0;
/// More exact phases than this are replaced by interpolation between `TABLE_PHASES`.
const MAX_EXACT_PHASES: u64 = 1024;
const TABLE_PHASES: usize = 512;

/// The same time, counted in samples of another rate.
#[must_use]
pub fn scale(position: f64, from_hz: f64, to_hz: f64) -> f64 {
    position * (to_hz / from_hz)
}

/// Samples at `to_hz` of a signal sampled at `from_hz`; sample 0 stays at time 0. Frequencies above the lower of the
/// two Nyquist frequencies are removed.
///
/// Both rates must be finite and above zero, else the result is empty. The ends are extended by even reflection. The
/// result has `ceil(samples.len() * to_hz / from_hz)` values. NaN spreads over the filter's length, so callers fill
/// gaps first.
#[must_use]
pub fn resample(samples: &[f32], from_hz: f64, to_hz: f64) -> Vec<f32> {
    let valid = |rate: f64| rate.is_finite() && rate > 0.0;
    if samples.is_empty() || !valid(from_hz) || !valid(to_hz) {
        return Vec::new();
    }
    if from_hz == to_hz {
        return samples.to_vec();
    }
    let wanted = (samples.len() as f64 * to_hz / from_hz - 1e-9).ceil().max(1.0) as usize;
    match exact_ratio(from_hz, to_hz) {
        Some((up, down)) => {
            let table = Table::new(from_hz, to_hz, up as usize);
            (0..wanted as u64)
                .map(|j| {
                    let at = j * down;
                    table.value(samples, (at / up) as usize, (at % up) as usize)
                })
                .collect()
        }
        None => {
            let table = Table::new(from_hz, to_hz, TABLE_PHASES);
            (0..wanted)
                .map(|j| {
                    let at = scale(j as f64, to_hz, from_hz);
                    let phase = at.fract() * TABLE_PHASES as f64;
                    let (low, part) = (phase as usize, phase.fract() as f32);
                    let base = at as usize;
                    table.value(samples, base, low) * (1.0 - part) + table.value(samples, base, low + 1) * part
                })
                .collect()
        }
    }
}

/// `to / from` as a reduced fraction, when both are whole multiples of 1 mHz and the numerator is small.
fn exact_ratio(from_hz: f64, to_hz: f64) -> Option<(u64, u64)> {
    let whole = |rate: f64| {
        let scaled = (rate * 1000.0).round();
        ((scaled / 1000.0 - rate).abs() < 1e-12 * rate && scaled < 1e12).then_some(scaled as u64)
    };
    let (from, to) = (whole(from_hz)?, whole(to_hz)?);
    let (mut a, mut b) = (from, to);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    let (up, down) = (to / a, from / a);
    (up <= MAX_EXACT_PHASES).then_some((up, down))
}

/// Filter taps for `phases + 1` fractional delays, each row normalised to a gain of one at zero frequency.
struct Table {
    taps: Vec<f32>,
    half: usize,
}

impl Table {
    fn new(from_hz: f64, to_hz: f64, phases: usize) -> Self {
        let cutoff = ROLLOFF * (to_hz / from_hz).min(1.0);
        let reach = CROSSINGS / cutoff;
        let half = reach.ceil() as usize;
        let mut taps = Vec::with_capacity((phases + 1) * 2 * half);
        for phase in 0..=phases {
            let delay = phase as f64 / phases as f64;
            let row: Vec<f64> = (0..2 * half)
                .map(|k| {
                    let t = k as f64 - (half as f64 - 1.0) - delay;
                    sinc(cutoff * t) * kaiser(t / reach)
                })
                .collect();
            let sum: f64 = row.iter().sum();
            taps.extend(row.iter().map(|tap| (tap / sum) as f32));
        }
        Self { taps, half }
    }

    /// The signal at sample `base` plus `phase` parts.
    fn value(&self, samples: &[f32], base: usize, phase: usize) -> f32 {
        let width = 2 * self.half;
        let row = &self.taps[phase * width..(phase + 1) * width];
        let start = base as i64 - (self.half as i64 - 1);
        if let Ok(first) = usize::try_from(start)
            && let Some(inside) = samples.get(first..first + width)
        {
            return dot(inside, row);
        }
        row.iter()
            .enumerate()
            .map(|(k, tap)| tap * samples[reflect(start + k as i64, samples.len())])
            .sum()
    }
}

/// Eight partial sums, so that the compiler may use vector registers.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a8.remainder().iter().zip(b8.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a8.zip(b8) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// Even reflection at both ends, repeated for signals shorter than the filter.
fn reflect(index: i64, len: usize) -> usize {
    if len == 1 {
        return 0;
    }
    let last = len as i64 - 1;
    let folded = index.rem_euclid(2 * last);
    (if folded > last { 2 * last - folded } else { folded }) as usize
}

fn sinc(x: f64) -> f64 {
    if x.abs() < 1e-12 {
        1.0
    } else {
        (PI * x).sin() / (PI * x)
    }
}

/// The Kaiser window at `x` in -1 to 1, zero outside.
fn kaiser(x: f64) -> f64 {
    if x.abs() >= 1.0 {
        return 0.0;
    }
    bessel_i0(KAISER_BETA * (1.0 - x * x).sqrt()) / bessel_i0(KAISER_BETA)
}

/// Modified Bessel function of the first kind, order zero, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..64 {
        term *= quarter / f64::from(k * k);
        sum += term;
        if term < 1e-16 * sum {
            break;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f64, rate: f64, n: usize) -> Vec<f32> {
        (0..n)
            .map(|i| (2.0 * PI * hz * i as f64 / rate + 0.3).sin() as f32)
            .collect()
    }

    fn worst(a: &[f32], b: &[f32], margin: usize) -> f32 {
        let n = a.len().min(b.len());
        (margin..n - margin).map(|i| (a[i] - b[i]).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn a_tone_in_the_band_keeps_its_phase_and_height_between_any_rates() {
        for (from, to) in [
            (360.0, 128.0),
            (128.0, 360.0),
            (500.0, 360.0),
            (512.844, 128.0),
            (257.0, 128.0),
            (1000.0, 128.0),
        ] {
            let input = tone(11.0, from, (from * 8.0) as usize);
            let output = resample(&input, from, to);
            let expected = tone(11.0, to, output.len());
            assert_eq!(
                output.len(),
                (input.len() as f64 * to / from).ceil() as usize,
                "{from} to {to}"
            );
            assert!(worst(&output, &expected, to as usize / 2) < 1e-3, "{from} to {to}");
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_removed() {
        let output = resample(&tone(80.0, 360.0, 3600), 360.0, 128.0);
        assert!(output[64..output.len() - 64].iter().all(|x| x.abs() < 1e-3));
    }

    #[test]
    fn a_constant_stays_constant_up_to_both_ends() {
        for (from, to) in [(360.0, 128.0), (512.844, 128.0)] {
            assert!(resample(&[2.5; 700], from, to).iter().all(|x| (x - 2.5).abs() < 1e-5));
        }
    }

    #[test]
    fn tiny_and_invalid_input_gives_no_panic() {
        let single = resample(&[1.0], 360.0, 128.0);
        assert!(single.len() == 1 && (single[0] - 1.0).abs() < 1e-5);
        assert_eq!(resample(&[1.0, 1.0, 1.0], 100.0, 1000.0).len(), 30);
        assert!(resample(&[1.0; 9], 0.0, 128.0).is_empty());
        assert!(resample(&[1.0; 9], 360.0, f64::NAN).is_empty());
        assert!(resample(&[], 360.0, 128.0).is_empty());
    }

    #[test]
    fn annotation_times_scale_without_rounding() {
        assert!((scale(77.0, 360.0, 128.0) - 27.377_777_777).abs() < 1e-8);
    }
}
