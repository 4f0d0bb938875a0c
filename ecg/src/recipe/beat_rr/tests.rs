use super::*;
use crate::recipe::{Prepared, Recipe};

/// A lead with a narrow pulse at every R, a small P wave before it, and a slow T wave after it.
fn lead(rate_hz: f64, r_s: &[f64], gain: f32) -> (Vec<f32>, Vec<f64>) {
    let length = (r_s.last().unwrap() + 2.0) * rate_hz;
    let mut samples = vec![0.0_f32; length as usize];
    let bump = |samples: &mut Vec<f32>, at: f64, width: f64, height: f32| {
        let reach = (6.0 * width * rate_hz) as i64;
        let center = (at * rate_hz).round() as i64;
        for i in (center - reach).max(0)..(center + reach).min(samples.len() as i64) {
            let z = (i as f64 / rate_hz - at) / width;
            samples[i as usize] += height * (-0.5 * z * z).exp() as f32;
        }
    };
    for &at in r_s {
        bump(&mut samples, at - 0.16, 0.02, 0.15 * gain);
        bump(&mut samples, at, 0.012, gain);
        bump(&mut samples, at + 0.25, 0.04, 0.25 * gain);
    }
    (samples, r_s.iter().map(|t| t * rate_hz).collect())
}

fn tensors(rate_hz: f64, r_s: &[f64], gain: f32) -> (Vec<f32>, Vec<f32>) {
    let (samples, peaks) = lead(rate_hz, r_s, gain);
    let prepared = Recipe::BeatRrV1.prepare(&samples, rate_hz, &peaks).unwrap();
    let mut all = prepared.tensors(0..r_s.len());
    let rr = all.pop().unwrap().values;
    (all.pop().unwrap().values, rr)
}

/// A beat every 0.8 s, and one that comes 0.24 s early, at index 30.
fn early() -> Vec<f64> {
    (1..=60)
        .map(|i| f64::from(i) * 0.8 - if i == 31 { 0.24 } else { 0.0 })
        .collect()
}

fn furthest(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
}

#[test]
fn the_early_beat_stands_out_in_the_intervals() {
    let (_, rr) = tensors(360.0, &early(), 1.0);
    let rows: Vec<&[f32]> = rr.chunks(FEATURES).collect();
    let expected = (0.56_f32 / 0.8).ln();
    for feature in [0, 3, 5, 7] {
        assert!(
            (rows[30][feature] - expected).abs() < 0.01,
            "{feature}: {}",
            rows[30][feature]
        );
        assert!(rows[20][feature].abs() < 0.01);
    }
    assert!((rows[30][2] - (0.56_f32 / 1.04).ln()).abs() < 0.01);
}

#[test]
fn gain_and_rate_do_not_change_the_input() {
    let (beat, rr) = tensors(360.0, &early(), 1.0);
    for (rate, gain) in [
        (360.0, 0.2),
        (360.0, 7.0),
        (250.0, 1.0),
        (128.0, 1.0),
        (512.844, 1.0),
        (1000.0, 3.0),
    ] {
        let (other, other_rr) = tensors(rate, &early(), gain);
        assert!(
            furthest(&beat, &other) < 0.06,
            "{rate} Hz x {gain}: {}",
            furthest(&beat, &other)
        );
        assert!(furthest(&rr[..rhythm::COUNT], &other_rr[..rhythm::COUNT]) < 1e-3);
    }
}

#[test]
fn an_inverted_lead_gives_the_inverted_beat_and_the_same_features() {
    let (beat, rr) = tensors(360.0, &early(), 1.0);
    let (flipped, flipped_rr) = tensors(360.0, &early(), -1.0);
    let back: Vec<f32> = flipped.iter().map(|x| -x).collect();
    assert!(furthest(&beat, &back) < 1e-4);
    assert!(furthest(&rr, &flipped_rr) < 1e-2);
}

#[test]
fn the_difference_to_the_median_beat_vanishes_for_a_steady_rhythm() {
    let steady: Vec<f64> = (1..=60).map(|i| f64::from(i) * 0.8).collect();
    let (beat, _) = tensors(360.0, &steady, 1.0);
    let difference = &beat[20 * 2 * WINDOW + WINDOW..21 * 2 * WINDOW];
    assert!(difference.iter().all(|d| d.abs() < 0.05));
    let window = &beat[20 * 2 * WINDOW..20 * 2 * WINDOW + WINDOW];
    let peak = (0..WINDOW).max_by(|&a, &b| window[a].total_cmp(&window[b])).unwrap();
    assert_eq!(peak, BEFORE);
}

#[test]
fn batches_are_pieces_of_the_whole() {
    let (samples, peaks) = lead(250.0, &early(), 1.0);
    let prepared = Recipe::BeatRrV1.prepare(&samples, 250.0, &peaks).unwrap();
    let whole = prepared.tensors(0..60);
    let part = prepared.tensors(17..23);
    assert_eq!(part[0].dims, [6, 2, WINDOW]);
    assert_eq!(part[1].dims, [6, FEATURES]);
    assert_eq!(part[0].values, whole[0].values[17 * 2 * WINDOW..23 * 2 * WINDOW]);
    assert_eq!(prepared.tensors(58..90)[1].dims, [2, FEATURES]);
    assert!(matches!(prepared, Prepared::BeatRr(_)));
}

#[test]
fn flat_and_invalid_leads_give_finite_values() {
    let peaks = [10.0, 400.0, 800.0, 1200.0, 1500.0];
    for value in [0.0, f32::NAN, 5.0] {
        let prepared = Recipe::BeatRrV1.prepare(&vec![value; 1600], 360.0, &peaks).unwrap();
        for tensor in prepared.tensors(0..5) {
            assert!(tensor.values.iter().all(|x| x.is_finite()), "{value} {}", tensor.name);
        }
    }
}

#[test]
fn a_day_is_cut_into_stretches_of_about_an_hour() {
    let ranges = block_ranges(100_000);
    assert_eq!(ranges.len(), 23);
    assert_eq!(ranges.last().unwrap().end, 100_000);
    assert!(ranges.iter().all(|range| range.len() <= BLOCK));
}
