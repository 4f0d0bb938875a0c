//! How much hum of the mains there is.
//!
//! The power spectrum is the average of periodograms of windows with a Hann taper (Welch 1967, The use of fast Fourier transform
//! for the estimation of power spectra, IEEE Trans. Audio Electroacoust. 15:70).

use realfft::RealFftPlanner;
use std::f64::consts::PI;

/// Length of a window, and the shortest recording that something is said of.
const WINDOW_S: f64 = 10.0;
const SHORTEST_S: f64 = 2.0;
/// Windows that are looked at, spread evenly over the recording.
const MOST_WINDOWS: usize = 6;
/// The line: mains wander by tenths of a hertz, and the taper smears by as much.
const LINE_HZ: f64 = 1.0;
/// What lies beside it, on both sides, from and to this far away.
const BESIDE_HZ: (f64, f64) = (2.0, 6.0);

/// Power density within 1 Hz of a line against that 2 to 6 Hz away from it, in decibels: about 0 without hum, above 10 where one
/// sees it. None below two seconds, where the rate has no such frequencies, or where no window is valid and other than flat.
#[must_use]
pub fn mains_db(samples_mv: &[f32], rate_hz: f64, line_hz: f64) -> Option<f64> {
    if line_hz + BESIDE_HZ.1 >= rate_hz / 2.0 || (samples_mv.len() as f64) < SHORTEST_S * rate_hz {
        return None;
    }
    let length = ((WINDOW_S * rate_hz).round() as usize).clamp(1, samples_mv.len());
    let count = samples_mv.len() / length;
    let plan = RealFftPlanner::<f32>::new().plan_fft_forward(length);
    let (mut input, mut output) = (plan.make_input_vec(), plan.make_output_vec());
    let taper: Vec<f32> = (0..length)
        .map(|at| (0.5 - 0.5 * (2.0 * PI * (at as f64 + 0.5) / length as f64).cos()) as f32)
        .collect();
    let per_bin = rate_hz / length as f64;
    let (mut line, mut beside) = (Sum::default(), Sum::default());
    for window in (0..count).step_by(count.div_ceil(MOST_WINDOWS).max(1)) {
        let samples = &samples_mv[window * length..(window + 1) * length];
        let mean = samples.iter().sum::<f32>() / length as f32;
        if !mean.is_finite() {
            continue;
        }
        for ((slot, sample), taper) in input.iter_mut().zip(samples).zip(&taper) {
            *slot = (sample - mean) * taper;
        }
        if plan.process(&mut input, &mut output).is_err() {
            continue;
        }
        for (at, bin) in output.iter().enumerate() {
            let away = (at as f64 * per_bin - line_hz).abs();
            let power = f64::from(bin.norm_sqr());
            if away <= LINE_HZ {
                line.add(power);
            } else if (BESIDE_HZ.0..=BESIDE_HZ.1).contains(&away) {
                beside.add(power);
            }
        }
    }
    let ratio = line.mean() / beside.mean();
    (ratio.is_finite() && ratio > 0.0).then(|| 10.0 * ratio.log10())
}

#[derive(Default)]
struct Sum {
    all: f64,
    number: f64,
}

impl Sum {
    fn add(&mut self, value: f64) {
        self.all += value;
        self.number += 1.0;
    }

    fn mean(&self) -> f64 {
        self.all / self.number
    }
}
