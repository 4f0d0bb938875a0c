//! What a recording is like: each figure moves with what it is about, and with nothing else.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod mitdb;

use einthoven_ecg::detect::r_peaks;
use einthoven_ecg::figures::{figures, mains_db, qrs};
use einthoven_ecg::recording::Recording;
use std::collections::BTreeMap;
use std::f64::consts::PI;

/// The figures of a recording whose first lead is looked at.
fn of(recording: &Recording) -> BTreeMap<String, f64> {
    let beats = r_peaks(&recording.leads[0].samples_mv, recording.sampling_rate_hz);
    figures(recording, 0, &beats)
}

fn hum(recording: &mut Recording, hz: f64, mv: f64) {
    let rate = recording.sampling_rate_hz;
    for lead in &mut recording.leads {
        for (at, sample) in lead.samples_mv.iter_mut().enumerate() {
            *sample += (mv * (2.0 * PI * hz * at as f64 / rate).sin()) as f32;
        }
    }
}

#[test]
fn a_recording_that_is_changed_has_other_figures() {
    for record in mitdb::excerpts() {
        let (name, recording) = (&record.name, &record.recording);
        let plain = of(recording);
        let names: Vec<&str> = plain.keys().map(String::as_str).collect();
        assert!(
            ["lead_set", "mains_50_db", "mains_60_db", "net_MLII_mv", "qrs_MLII_mv"]
                .iter()
                .all(|name| names.contains(name)),
            "{name}: {names:?}"
        );
        assert!((0.3..4.0).contains(&plain["qrs_MLII_mv"]), "{name}: {plain:?}");

        let mut twice = recording.clone();
        for sample in twice.leads.iter_mut().flat_map(|lead| &mut lead.samples_mv) {
            *sample *= 2.0;
        }
        let found = of(&twice);
        for figure in ["qrs_MLII_mv", "net_MLII_mv"] {
            assert!((found[figure] / plain[figure] - 2.0).abs() < 0.05, "{name}: {figure}");
        }
        assert!((found["mains_60_db"] - plain["mains_60_db"]).abs() < 0.01, "{name}");

        let mut noisy = recording.clone();
        hum(&mut noisy, 50.0, 0.05);
        let found = of(&noisy);
        assert!(
            found["mains_50_db"] > plain["mains_50_db"] + 6.0 && found["mains_50_db"] > 10.0,
            "{name}: {found:?} was {plain:?}"
        );
        assert!((found["mains_60_db"] - plain["mains_60_db"]).abs() < 1.0, "{name}");

        let mut turned = recording.clone();
        for sample in &mut turned.leads[0].samples_mv {
            *sample = -*sample;
        }
        let beats = r_peaks(&recording.leads[0].samples_mv, recording.sampling_rate_hz);
        let (one, two) = (figures(recording, 0, &beats), figures(&turned, 0, &beats));
        // Of an even number of beats the upper of the two middle ones counts.
        assert!((one["net_MLII_mv"] + two["net_MLII_mv"]).abs() < 0.05, "{name}");
        assert!((one["qrs_MLII_mv"] - two["qrs_MLII_mv"]).abs() < 1e-6, "{name}");

        let mut fewer = recording.clone();
        fewer.leads.truncate(1);
        assert_ne!(of(&fewer)["lead_set"], plain["lead_set"], "{name}");
    }
}

#[test]
fn hum_is_found_at_its_own_frequency_whatever_the_rate() {
    for rate in [128.0, 250.0, 360.0, 1000.0] {
        // Noise of one strength at all frequencies.
        let mut seed = 1_u64;
        let samples: Vec<f32> = (0..(12.0 * rate) as usize)
            .map(|at| {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let noise = (seed >> 40) as f32 / (1 << 24) as f32 - 0.5;
                noise + 0.3 * (2.0 * PI * 50.2 * at as f64 / rate).sin() as f32
            })
            .collect();
        let found = mains_db(&samples, rate, 50.0).unwrap();
        assert!(found > 10.0, "{rate}: {found}");
        match mains_db(&samples, rate, 60.0) {
            // Beside 60 Hz there is nothing at 128 samples a second.
            None => assert!(rate < 132.0, "{rate}"),
            Some(other) => assert!(other.abs() < 4.0, "{rate}: {other}"),
        }
    }
}

#[test]
fn what_cannot_be_measured_is_left_out() {
    let flat = vec![0.0; 3600];
    assert_eq!(mains_db(&flat, 360.0, 50.0), None);
    assert_eq!(mains_db(&[f32::NAN; 3600], 360.0, 50.0), None);
    assert_eq!(mains_db(&flat[..100], 360.0, 50.0), None);
    assert_eq!(mains_db(&[], 360.0, 50.0), None);
    assert_eq!(mains_db(&flat, 100.0, 50.0), None);
    assert_eq!(qrs(&flat, 360.0, &[]), None);
    // At an end, or beyond it.
    assert_eq!(qrs(&flat, 360.0, &[3, 3599, 9000, usize::MAX]), None);
    assert_eq!(qrs(&flat, 360.0, &[1000]).unwrap().height_mv, 0.0);
    let mut broken = flat;
    broken[1000] = f32::NAN;
    assert_eq!(qrs(&broken, 360.0, &[1000]), None);
}
