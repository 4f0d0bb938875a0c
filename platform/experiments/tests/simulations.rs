//! What the methods promise, tried on many experiments of which the truth is known.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use einthoven_experiments::Settings;
use einthoven_experiments::stats::betting::Wager;
use einthoven_experiments::stats::bootstrap::{Plan, intervals};
use einthoven_experiments::stats::{deviation, mean, normal};
use einthoven_experiments::verdict::units_needed;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The standard deviation of the difference between two versions from recording to recording.
const DEVIATION: f64 = 0.1;
const EXPERIMENTS: u32 = 1000;
const DAYS: usize = 60;
const RECORDINGS_A_DAY: usize = 5;

/// Differences as they are: most recordings have none, a few have great ones, to both sides.
fn difference(random: &mut ChaCha8Rng) -> f64 {
    if random.random_bool(0.6) {
        return 0.0;
    }
    let z = normal::quantile(random.random_range(0.0005..0.9995));
    // So that the standard deviation of all is DEVIATION.
    (DEVIATION / 0.4_f64.sqrt() * z).clamp(-1.0, 1.0)
}

/// The greatest count that chance explains where each of `EXPERIMENTS` raises an alarm with `rate`: 4 standard deviations.
fn by_chance(rate: f64) -> f64 {
    f64::from(EXPERIMENTS) * rate + 4.0 * (f64::from(EXPERIMENTS) * rate * (1.0 - rate)).sqrt()
}

/// Experiments, of a thousand in which nothing differs and which are looked at every day for two months, that are taken for
/// different: by the sequential test, and by an interval for one look.
fn false_alarms(seed: u64, mut difference: impl FnMut(&mut ChaCha8Rng) -> f64) -> (u32, u32) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut sequential, mut naive) = (0_u32, 0_u32);
    for _ in 0..EXPERIMENTS {
        let mut wager = Wager::against(0.5);
        let (mut alarmed, mut fooled) = (false, false);
        let (mut sum, mut squares, mut number) = (0.0, 0.0, 0.0);
        for _day in 0..DAYS {
            for _ in 0..RECORDINGS_A_DAY {
                let difference = difference(&mut random);
                wager.see(0.5 * (difference + 1.0));
                sum += difference;
                squares += difference * difference;
                number += 1.0;
            }
            alarmed |= wager.evidence() >= 20.0;
            let deviation = ((squares - sum * sum / number) / (number - 1.0)).sqrt();
            fooled |= number >= 10.0 && (sum / number).abs() > 1.96 * deviation / f64::sqrt(number);
        }
        sequential += u32::from(alarmed);
        naive += u32::from(fooled);
    }
    println!("false alarms of {EXPERIMENTS}: {sequential} sequential, {naive} by an interval for one look");
    (sequential, naive)
}

#[test]
fn looking_every_day_raises_no_more_false_alarms_than_promised() {
    // As versions differ, and as much as they could: there the test is at its sharpest.
    let (sequential, naive) = false_alarms(11, difference);
    assert!(f64::from(sequential) <= by_chance(0.05), "{sequential}");
    // Why an interval for one look will not do.
    assert!(naive > 200, "{naive}");
    let (sequential, _) = false_alarms(14, |random| if random.random_bool(0.5) { 1.0 } else { -1.0 });
    assert!(f64::from(sequential) <= by_chance(0.05), "{sequential}");
    // A mean of nothing that most recordings contradict: the test is of the mean, and is not fooled.
    let (sequential, _) = false_alarms(15, |random| if random.random_bool(0.05) { -0.95 } else { 0.05 });
    assert!(f64::from(sequential) <= by_chance(0.05), "{sequential}");
}

/// The other arm of the promise: what there is, is found. docs/compare.md states these figures.
#[test]
fn a_difference_of_three_points_is_found() {
    let mut random = ChaCha8Rng::seed_from_u64(12);
    let found_by = |recordings: usize, effect: f64, random: &mut ChaCha8Rng| {
        let found = (0..EXPERIMENTS).filter(|_| {
            let mut wager = Wager::against(0.5);
            (0..recordings).any(|_| {
                wager.see(0.5 * (difference(random) + effect + 1.0));
                wager.evidence() >= 20.0
            })
        });
        found.count() as f64 / f64::from(EXPERIMENTS)
    };
    for recordings in [87, 150, 200, 250, 300] {
        println!("{recordings} recordings: {}", found_by(recordings, 0.03, &mut random));
    }
    for recordings in [100, 125, 150] {
        println!(
            "{recordings} recordings, five points: {}",
            found_by(recordings, 0.05, &mut random)
        );
    }
    assert!(found_by(300, 0.03, &mut random) > 0.8);
    assert!(found_by(150, 0.05, &mut random) > 0.8);
}

/// So many recordings as are forecast show the difference at one look with the power asked for.
#[test]
fn the_forecast_for_one_look_comes_true() {
    let mut random = ChaCha8Rng::seed_from_u64(16);
    let recordings = units_needed(DEVIATION, 0.03, &Settings::default()) as usize;
    assert_eq!(recordings, 88);
    let found = (0..EXPERIMENTS).filter(|_| {
        let seen: Vec<f64> = (0..recordings).map(|_| difference(&mut random) + 0.03).collect();
        mean(&seen).abs() > 1.96 * deviation(&seen).unwrap() / (recordings as f64).sqrt()
    });
    let found = found.count() as f64 / f64::from(EXPERIMENTS);
    println!("one look at {recordings} recordings: {found}");
    assert!((0.75..0.87).contains(&found), "{found}");
}

/// Recordings whose beats are alike: intra-class correlation 0.35, as measured on the MIT-BIH database.
const CORRELATION: f64 = 0.35;

/// Both arms' share of beats rightly classified in a recording varies from recording to recording; 95 % intervals of the pooled
/// difference over recordings hold it, intervals over beats do not.
#[test]
fn intervals_over_recordings_hold_the_truth_and_intervals_over_beats_do_not() {
    const RECORDINGS: usize = 60;
    const BEATS: u32 = 300;
    let mut random = ChaCha8Rng::seed_from_u64(13);
    let plan = Plan {
        draws: 1000,
        seed: 57,
        level: 0.95,
    };
    let rounds = 400;
    let (mut clustered, mut by_beat) = (0, 0);
    // Beta-distributed shares: correlation = 1 / (a + b + 1).
    let sum = 1.0 / CORRELATION - 1.0;
    for _ in 0..rounds {
        let units: Vec<[f64; 3]> = (0..RECORDINGS)
            .map(|_| {
                let (one, two) = (
                    beta(0.8 * sum, 0.2 * sum, &mut random),
                    beta(0.8 * sum, 0.2 * sum, &mut random),
                );
                let right = |share: f64, random: &mut ChaCha8Rng| {
                    (0..BEATS).filter(|_| random.random_bool(share)).count() as f64
                };
                [right(one, &mut random), right(two, &mut random), f64::from(BEATS)]
            })
            .collect();
        let difference = |totals: &[[f64; 3]]| [Some((totals[0][1] - totals[0][0]) / totals[0][2])];
        let found = intervals(&[&units], &plan, difference)[0].unwrap();
        clustered += u32::from(found.holds(0.0));
        let beats = f64::from(BEATS) * RECORDINGS as f64;
        let share = |at: usize| units.iter().map(|unit| unit[at]).sum::<f64>() / beats;
        let (one, two) = (share(0), share(1));
        let error = ((one * (1.0 - one) + two * (1.0 - two)) / beats).sqrt();
        by_beat += u32::from((two - one).abs() <= 1.96 * error);
    }
    let (clustered, by_beat) = (
        f64::from(clustered) / f64::from(rounds),
        f64::from(by_beat) / f64::from(rounds),
    );
    println!("coverage: {clustered} over recordings, {by_beat} over beats");
    // Nominal 0.95; four standard deviations of 400 rounds are 0.044.
    assert!((0.906..=0.994).contains(&clustered), "{clustered}");
    assert!(by_beat < 0.5, "{by_beat}");
}

/// By Johnk's method, which suits parameters below about two.
fn beta(a: f64, b: f64, random: &mut ChaCha8Rng) -> f64 {
    loop {
        let x = random.random::<f64>().powf(1.0 / a);
        let y = random.random::<f64>().powf(1.0 / b);
        if x + y <= 1.0 && x + y > 0.0 {
            return x / (x + y);
        }
    }
}
