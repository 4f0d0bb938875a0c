//! R peaks against the reference beats, and what changes of rate, gain, polarity and noise do to them.
#![allow(missing_docs, reason = "a test program")]

mod mitdb;

use einthoven_ecg::detect::r_peaks;
use einthoven_ecg::score::{BeatComparison, DS1, Rules};
use mitdb::{Record, figures};
use std::f64::consts::PI;

#[test]
fn all_records_meet_the_targets() {
    let Some(records) = mitdb::whole() else { return };
    assert_eq!(records.len(), 48);
    let (mut ds1, mut rest) = (BeatComparison::default(), BeatComparison::default());
    eprintln!("first channel, after 5:00, EC57: record, sensitivity %, precision %, rms offset ms");
    for record in &records {
        let rate = record.recording.sampling_rate_hz;
        let one = record.compared(&r_peaks(record.lead(0), rate), rate, &Rules::default());
        let (se, ppv, offset) = figures(&one);
        eprintln!("{} {se:7.3} {ppv:7.3} {offset:6.2}", record.name);
        let in_ds1 = DS1.contains(&record.name.as_str());
        if in_ds1 { &mut ds1 } else { &mut rest }.add(&one);
    }
    let mut all = ds1.clone();
    all.add(&rest);
    for (name, sum) in [("DS1", &ds1), ("the other 26", &rest), ("all 48", &all)] {
        let (se, ppv, offset) = figures(sum);
        eprintln!("{name}: {se:.3} {ppv:.3} {offset:.2}");
    }
    let (se, ppv, offset) = figures(&all);
    assert!(se >= 99.5 && ppv >= 99.7 && offset <= 10.0, "{se} {ppv} {offset}");
}

/// What is done to a lead before detection; `f(record)` gives samples and their rate.
type Change = (&'static str, fn(&Record) -> (Vec<f32>, f64), f64, f64);

/// Name, change, least sensitivity, least precision; floors lie below what was measured, far above a broken detector.
const CHANGES: [Change; 11] = [
    ("as recorded", |r| (r.lead(0).to_vec(), 360.0), 99.5, 99.7),
    ("128 Hz", |r| (resampled(r.lead(0), 128), 128.0), 99.4, 99.5),
    ("250 Hz", |r| (resampled(r.lead(0), 250), 250.0), 99.4, 99.5),
    ("500 Hz", |r| (resampled(r.lead(0), 500), 500.0), 99.4, 99.5),
    ("1000 Hz", |r| (resampled(r.lead(0), 1000), 1000.0), 99.4, 99.5),
    ("inverted", |r| (mapped(r, |_, x| -x), 360.0), 99.5, 99.6),
    ("gain 0.1", |r| (mapped(r, |_, x| 0.1 * x), 360.0), 99.5, 99.6),
    (
        "gain 10, offset 5 mV",
        |r| (mapped(r, |_, x| 10.0 * x + 5.0), 360.0),
        99.5,
        99.6,
    ),
    (
        "mains 0.1 mV, 50 Hz",
        |r| (mapped(r, |t, x| x + 0.1 * wave(50.0, t)), 360.0),
        99.4,
        99.5,
    ),
    (
        "wander 1 mV, 0.3 Hz",
        |r| (mapped(r, |t, x| x + wave(0.3, t)), 360.0),
        99.4,
        99.5,
    ),
    ("second channel", |r| (r.lead(1).to_vec(), 360.0), 95.0, 94.0),
];

fn wave(hz: f64, seconds: f64) -> f32 {
    (2.0 * PI * hz * seconds).sin() as f32
}

fn mapped(record: &Record, f: impl Fn(f64, f32) -> f32) -> Vec<f32> {
    let rate = record.recording.sampling_rate_hz;
    let samples = record.lead(0).iter().enumerate();
    samples.map(|(i, &x)| f(i as f64 / rate, x)).collect()
}

/// From 360 Hz to another whole rate by a Hann-windowed sinc that passes what both rates can carry.
fn resampled(samples: &[f32], rate_hz: u32) -> Vec<f32> {
    let step = 360.0 / f64::from(rate_hz);
    let cut = (1.0 / step).min(1.0);
    let reach = (8.0 / cut).ceil() as usize;
    // The place between two samples repeats every `rate_hz` outputs at the latest; so do the weights.
    let kernels: Vec<Vec<f32>> = (0..rate_hz)
        .map(|k| {
            let fraction = (f64::from(k) * step).fract();
            let weights: Vec<f64> = (0..=2 * reach)
                .map(|tap| {
                    let d = tap as f64 - reach as f64 - fraction;
                    let phase = PI * cut * d;
                    let sinc = if phase.abs() < 1e-9 { 1.0 } else { phase.sin() / phase };
                    sinc * (0.5 + 0.5 * (PI * d / (reach as f64 + 1.0)).cos())
                })
                .collect();
            let sum: f64 = weights.iter().sum();
            weights.iter().map(|weight| (weight / sum) as f32).collect()
        })
        .collect();
    // Both ends held, so that every output has all its inputs.
    let mut padded = vec![samples[0]; reach];
    padded.extend_from_slice(samples);
    padded.resize(samples.len() + 2 * reach, samples[samples.len() - 1]);
    (0..(samples.len() as f64 / step) as usize)
        .map(|k| {
            let at = k * 360 / rate_hz as usize;
            let kernel = &kernels[k % rate_hz as usize];
            kernel.iter().zip(&padded[at..]).map(|(weight, x)| weight * x).sum()
        })
        .collect()
}

#[test]
fn changed_recordings_keep_their_beats() {
    let Some(records) = mitdb::whole() else { return };
    eprintln!("48 records, EC57: change, sensitivity %, precision %, rms offset ms");
    let mut wrong = Vec::new();
    for (name, change, least_se, least_ppv) in CHANGES {
        let mut sum = BeatComparison::default();
        for record in &records {
            let (samples, rate) = change(record);
            sum.add(&record.compared(&r_peaks(&samples, rate), rate, &Rules::default()));
        }
        let (se, ppv, offset) = figures(&sum);
        eprintln!("{name:22} {se:7.3} {ppv:7.3} {offset:6.2}");
        if se < least_se || ppv < least_ppv {
            wrong.push((name, se, ppv));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// EC57's five minutes of learning are not for excerpts of one minute.
fn from_the_start() -> Rules {
    Rules {
        start_s: 0.0,
        ..Rules::default()
    }
}

#[test]
fn the_excerpts_beats_are_found() {
    let mut sum = BeatComparison::default();
    for record in mitdb::excerpts() {
        sum.add(&record.compared(&r_peaks(record.lead(0), 360.0), 360.0, &from_the_start()));
    }
    let (se, ppv, offset) = figures(&sum);
    assert!(se >= 98.5 && ppv >= 98.5 && offset <= 10.0, "{se} {ppv} {offset}");
}

#[test]
fn gain_and_offset_change_nothing() {
    for record in mitdb::excerpts() {
        let peaks = r_peaks(record.lead(0), 360.0);
        for (gain, offset) in [(0.25, 0.0), (4.0, 0.0), (1.0, 8.0)] {
            // Powers of two, so that rounding is the same.
            let changed: Vec<f32> = record.lead(0).iter().map(|x| gain * x + offset).collect();
            let same = r_peaks(&changed, 360.0);
            let lost = peaks.iter().filter(|peak| !same.contains(peak)).count();
            assert!(lost * 50 <= peaks.len(), "{} {gain} {offset}: {lost}", record.name);
        }
    }
}

#[test]
fn invalid_samples_hold_no_beats_and_hide_none_beside_them() {
    for record in mitdb::excerpts() {
        let whole = r_peaks(record.lead(0), 360.0);
        for hole in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut samples = record.lead(0).to_vec();
            samples[7200..10_800].fill(hole);
            let peaks = r_peaks(&samples, 360.0);
            assert!(!peaks.iter().any(|peak| (7200..10_800).contains(peak)));
            let outside = |peaks: &[usize]| peaks.iter().filter(|p| **p < 7100 || **p > 10_900).count();
            let (before, after) = (outside(&whole), outside(&peaks));
            assert!(before.abs_diff(after) <= 2, "{}: {before} {after}", record.name);
        }
    }
}

#[test]
fn what_holds_no_beats_gives_none_or_few_and_never_fails() {
    for samples in [
        vec![],
        vec![1.0],
        vec![0.0; 36_000],
        vec![f32::NAN; 36_000],
        vec![f32::MAX; 3600],
    ] {
        assert_eq!(r_peaks(&samples, 360.0), [0; 0], "{} samples", samples.len());
    }
    let excerpts = mitdb::excerpts();
    let calm = excerpts[0].lead(0);
    let peaks = r_peaks(calm, 360.0);
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-300, 1e300] {
        assert!(r_peaks(calm, rate).len() <= peaks.len(), "{rate}");
    }
    assert!((2..=5).contains(&r_peaks(&calm[..1080], 360.0).len()), "three seconds");
    let wild: Vec<f32> = (0..5000)
        .map(|i| if i % 7 == 0 { f32::MAX } else { f32::MIN })
        .collect();
    assert!(r_peaks(&wild, 250.0).iter().all(|peak| *peak < wild.len()));
}
