//! Corrupted leads are caught, clean ones pass.

use super::*;
use crate::detect::r_peaks;

const RATE: f64 = 250.0;

/// A minute of sharp beats with T waves, 75 a minute, and a little noise.
fn clean() -> Vec<f32> {
    let mut seed = 1_u32;
    (0..15_000)
        .map(|i| {
            let phase = (f64::from(i) / RATE) % 0.8 - 0.4;
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = f64::from(seed >> 16) / 65_536.0 - 0.5;
            let wave = (-(phase / 0.012).powi(2)).exp() + 0.2 * (-((phase - 0.25) / 0.05).powi(2)).exp();
            (wave + 0.02 * noise) as f32
        })
        .collect()
}

fn graded(samples_mv: Vec<f32>, rails_mv: Option<(f32, f32)>) -> (Quality, Vec<usize>) {
    let beats = r_peaks(&samples_mv, RATE);
    let lead = Lead {
        name: "II".into(),
        standard: None,
        samples_mv,
        rails_mv,
    };
    (assess(&lead, RATE, &beats), beats)
}

#[test]
fn a_clean_lead_is_good_throughout() {
    let (quality, beats) = graded(clean(), None);
    assert!(quality.unreadable.is_empty());
    assert_eq!((quality.windows.len(), beats.len()), (6, 75));
    assert!(
        quality.beats.iter().all(|grade| *grade == Grade::Good),
        "{:?}",
        quality.windows
    );
}

#[test]
fn each_fault_is_found_where_it_is_and_named() {
    let at = |fault: &dyn Fn(usize, f32) -> f32| {
        clean()
            .into_iter()
            .enumerate()
            .map(|(i, x)| if (5000..7500).contains(&i) { fault(i, x) } else { x })
            .collect()
    };
    let mut seed = 7_u32;
    let noise: Vec<f32> = (0..15_000)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (f64::from(seed >> 16) / 65_536.0 - 0.5) as f32 * 6.0
        })
        .collect();
    let cases: [(&str, Vec<f32>, Reason); 4] = [
        ("flat", at(&|_, _| 0.1), Reason::Flat),
        ("invalid", at(&|_, _| f32::NAN), Reason::Invalid),
        ("saturated", at(&|_, _| 5.0), Reason::Saturated),
        ("noise", at(&|i, x| x + noise[i]), Reason::Disagreement),
    ];
    for (name, samples, reason) in cases {
        let (quality, beats) = graded(samples, Some((-5.0, 5.0)));
        let inside: Vec<_> = quality
            .unreadable
            .iter()
            .filter(|span| span.start < 7500 && span.end > 5000)
            .collect();
        let covered: usize = inside
            .iter()
            .map(|span| span.end.min(7500) - span.start.max(5000))
            .sum();
        assert!(covered >= 2000, "{name}: {:?}", quality.windows);
        assert!(
            inside.iter().any(|span| span.reasons.contains(&reason)),
            "{name}: {inside:?}"
        );
        let outside = beats
            .iter()
            .zip(&quality.beats)
            .filter(|(beat, _)| **beat < 4900 || **beat > 7600);
        assert!(
            outside.filter(|(_, grade)| **grade == Grade::Unreadable).count() == 0,
            "{name}"
        );
    }
}

#[test]
fn a_wrong_unit_withholds_the_whole_recording() {
    for factor in [1000.0, 0.001] {
        let (quality, _) = graded(clean().into_iter().map(|x| x * factor).collect(), None);
        assert!(
            quality.windows.iter().all(|window| window.grade == Grade::Unreadable),
            "{factor}"
        );
    }
}

#[test]
fn a_rate_no_heart_has_is_suspect() {
    let samples_mv = clean();
    let beats: Vec<usize> = (0..30).map(|i| i * 50).collect();
    let lead = Lead {
        name: "II".into(),
        standard: None,
        samples_mv,
        rails_mv: None,
    };
    let quality = assess(&lead, RATE, &beats);
    assert!(quality.windows[0].reasons.contains(&Reason::RateImplausible));
    assert_ne!(quality.windows[0].grade, Grade::Good);
}

#[test]
fn nothing_and_little_do_not_panic() {
    for samples in [vec![], vec![0.0], vec![f32::NAN; 300], clean()[..200].to_vec()] {
        let length = samples.len();
        let (quality, beats) = graded(samples, None);
        assert_eq!(quality.beats.len(), beats.len());
        assert_eq!(
            quality
                .windows
                .iter()
                .map(|window| window.end - window.start)
                .sum::<usize>(),
            length
        );
    }
}
