use super::{LiveLead, SETTLE_S};
use proptest::prelude::*;

const RATE: f64 = 250.0;

/// A sharp wave at each of these seconds.
fn lead(beats_s: &[f64], seconds: f64) -> Vec<f32> {
    (0..(seconds * RATE) as usize)
        .map(|i| {
            let t = i as f64 / RATE;
            let wave = |at: &f64| (-((t - at) / 0.012).powi(2)).exp() + 0.2 * (-((t - at - 0.25) / 0.05).powi(2)).exp();
            beats_s.iter().map(wave).sum::<f64>() as f32
        })
        .collect()
}

/// All peaks, each with the samples that had come when it was said.
fn said(samples: &[f32], pieces: &[usize]) -> Vec<(u64, u64)> {
    let mut live = LiveLead::new(RATE, 20.0).unwrap();
    let mut all = Vec::new();
    let (mut rest, mut piece) = (samples, 0);
    while !rest.is_empty() {
        let (mut now, after) = rest.split_at(pieces[piece % pieces.len()].clamp(1, rest.len()));
        (rest, piece) = (after, piece + 1);
        while !now.is_empty() {
            let taken = now.len().min(live.until_look());
            let peaks = live.push(&now[..taken]);
            all.extend(peaks.into_iter().map(|peak| (peak, live.len())));
            now = &now[taken..];
        }
    }
    let peaks = live.finish();
    all.extend(peaks.into_iter().map(|peak| (peak, live.len())));
    all
}

#[test]
fn every_beat_is_said_soon_and_once() {
    let beats: Vec<f64> = (0..60).map(|i| 0.7 + 0.8 * f64::from(i)).collect();
    let samples = lead(&beats, 49.0);
    let said = said(&samples, &[25]);
    assert_eq!(said.len(), beats.len());
    for ((peak, when), beat) in said.iter().zip(&beats) {
        assert!((*peak as f64 / RATE - beat).abs() < 0.02, "{peak} {beat}");
        if *beat > 3.0 {
            let late = (when - peak) as f64 / RATE;
            assert!((SETTLE_S..SETTLE_S + 0.15).contains(&late), "{late}");
        }
    }
}

#[test]
fn what_is_kept_is_bounded() {
    let samples = lead(&[1.0, 2.0, 3.0, 4.0], 10.0);
    let mut live = LiveLead::new(RATE, 20.0).unwrap();
    for piece in samples
        .iter()
        .cycle()
        .take(samples.len() * 30)
        .copied()
        .collect::<Vec<_>>()
        .chunks(20)
    {
        let mut now = piece;
        while !now.is_empty() {
            let taken = now.len().min(live.until_look());
            live.push(&now[..taken]);
            now = &now[taken..];
        }
        let (kept, first) = live.kept();
        assert!(kept.len() as f64 <= 23.0 * RATE);
        assert_eq!(first + kept.len() as u64, live.len());
        assert!(live.peaks().iter().all(|peak| *peak >= first && *peak < live.len()));
    }
}

#[test]
fn rates_that_the_detector_does_not_know_are_refused() {
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, 50.0, 1e9] {
        assert!(LiveLead::new(rate, 20.0).is_none(), "{rate}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn how_the_samples_are_cut_changes_nothing(
        intervals in proptest::collection::vec(0.35_f64..1.6, 5..25),
        noise in proptest::collection::vec(-0.3_f32..0.3, 97),
        pieces in proptest::collection::vec(1_usize..2000, 1..6),
    ) {
        let mut beats = vec![0.4];
        for interval in intervals {
            beats.push(beats[beats.len() - 1] + interval);
        }
        let mut samples = lead(&beats, beats[beats.len() - 1] + 1.0);
        for (index, sample) in samples.iter_mut().enumerate() {
            *sample += noise[index % noise.len()];
        }
        let one = said(&samples, &[1]);
        prop_assert_eq!(&said(&samples, &pieces), &one);
        prop_assert!(one.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn no_samples_bring_it_down(samples in proptest::collection::vec(proptest::num::f32::ANY, 0..4000)) {
        said(&samples, &[37]);
    }
}
