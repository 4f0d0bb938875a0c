//! What changes raises an alarm soon, what does not change raises no more than are promised.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use einthoven_experiments::drift::{Drift, Figures, Reference, Rule, drift};
use einthoven_experiments::stats::normal;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A recording's figures: amplitude in mV, heart rate, quality, the share of V beats (mostly nothing), noise at 50 Hz.
fn recording(random: &mut ChaCha8Rng) -> Figures {
    let mut normal =
        |mean: f64, deviation: f64| mean + deviation * normal::quantile(random.random_range(1e-6..1.0 - 1e-6));
    let figures = [
        ("amplitude_mv", normal(0.0, 0.4).exp()),
        ("heart_rate", normal(75.0, 12.0)),
        ("quality", normal(0.95, 0.04).min(1.0)),
        ("share_v", normal(-0.05, 0.06).max(0.0)),
        ("noise_50_hz", normal(-3.0, 0.5).exp()),
    ];
    figures.map(|(name, value)| (name.to_owned(), value)).into()
}

fn many(number: usize, random: &mut ChaCha8Rng) -> Vec<Figures> {
    (0..number).map(|_| recording(random)).collect()
}

fn changed<'a>(drift: &'a Drift, name: &str) -> &'a einthoven_experiments::drift::Changed {
    drift.figures.iter().find(|figure| figure.name == name).unwrap()
}

#[test]
fn a_stream_that_does_not_change_raises_no_more_alarms_than_promised() {
    let mut random = ChaCha8Rng::seed_from_u64(21);
    let rule = Rule {
        alpha: 0.05,
        ..Rule::default()
    };
    let windows = 1000;
    let (mut alarms, mut usual) = (0, 0);
    let mut reference = Reference::default();
    for window in 0..windows {
        if window % 20 == 0 {
            reference = Reference::of(&many(100, &mut random));
        }
        let found = drift(&reference, &many(30, &mut random), &rule);
        alarms += u32::from(found.alarm);
        usual += u32::from(found.figures.iter().any(|figure| figure.psi.unwrap() > 0.25));
    }
    println!("alarms of {windows} windows: {alarms}; by an index above 0.25: {usual}");
    // 5 %, and four standard deviations; windows that share a reference are not independent.
    assert!(alarms <= 50 + 28, "{alarms}");
    // Why the usual threshold will not do for thirty recordings.
    assert!(usual > 500, "{usual}");
}

/// A reference is a file: what is read again may differ in its last bit.
#[test]
fn what_was_written_down_is_no_other() {
    let recordings = |value: f64| vec![Figures::from([("confidence".to_owned(), value)]); 50];
    let value = 0.978_319_123_456_789_1_f64;
    let reference = Reference::of(&recordings(value));
    let kept = serde_json::to_string(&Reference::of(&recordings(f64::from_bits(value.to_bits() + 1)))).unwrap();
    let kept: Reference = serde_json::from_str(&kept).unwrap();
    for reference in [reference, kept] {
        assert!(!drift(&reference, &recordings(value), &Rule::default()).alarm);
        assert!(drift(&reference, &recordings(value + 0.001), &Rule::default()).alarm);
    }
}

#[test]
fn figures_that_are_missing_or_few_say_nothing() {
    let mut random = ChaCha8Rng::seed_from_u64(23);
    let reference = Reference::of(&many(50, &mut random));
    let few = drift(&reference, &many(19, &mut random), &Rule::default());
    assert!(!few.alarm && few.sentence.starts_with("Too early"), "{}", few.sentence);
    let mut window = many(40, &mut random);
    for figures in &mut window {
        figures.remove("quality");
        figures.insert("heart_rate".to_owned(), f64::NAN);
        figures.insert("amplitude_mv".to_owned(), 9.0);
    }
    let found = drift(&reference, &window, &Rule::default());
    assert_eq!(found.sentence, "Changed against the reference: amplitude_mv.");
    let amplitude = changed(&found, "amplitude_mv");
    assert!(amplitude.alarm && amplitude.median == Some(9.0) && amplitude.psi > amplitude.psi_by_chance);
    assert_eq!(changed(&found, "quality").p, None);
    assert_eq!(changed(&found, "heart_rate").recordings, 0);
    assert!(
        !drift(&Reference::default(), &window, &Rule::default()).alarm
            && !drift(&reference, &[], &Rule::default()).alarm
    );
}
