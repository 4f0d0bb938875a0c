//! Figures against hand-made rhythms.

use super::*;
use proptest::prelude::*;

/// One letter a beat, `-` an unreadable one, one second apart unless given.
fn rhythm(letters: &str, interval_s: f64) -> Vec<TimedBeat> {
    letters
        .chars()
        .enumerate()
        .map(|(index, letter)| TimedBeat {
            time_s: index as f64 * interval_s,
            class: BeatClass::from_letter(letter),
            readable: letter != '-',
        })
        .collect()
}

fn summary(letters: &str, interval_s: f64) -> Summary {
    summarize(&rhythm(letters, interval_s), &[], letters.len() as f64 * interval_s)
}

#[test]
fn groups_are_counted_by_their_length_and_class() {
    let summary = summary("NVVNNSSSNVVVVNSSNV", 0.5);
    assert_eq!((summary.couplets.v, summary.couplets.s), (1, 1));
    assert_eq!((summary.triplets.v, summary.triplets.s), (0, 1));
    assert_eq!(summary.runs.s.len(), 1);
    assert_eq!(
        summary.runs.v,
        [Run {
            start_s: 4.5,
            beats: 4,
            rate_bpm: 120.0,
            tachycardia: true
        }]
    );
    assert!(!summary.runs.s[0].tachycardia);
}

#[test]
fn bigeminy_and_trigeminy_need_three_cycles() {
    assert_eq!(
        summary("NNVNVNVNN", 1.0).bigeminy,
        [Episode {
            start_s: 1.0,
            end_s: 6.0,
            beats: 6
        }]
    );
    assert!(summary("NNVNVNN", 1.0).bigeminy.is_empty());
    assert_eq!(summary("NNVNNVNNVN", 1.0).trigeminy.len(), 1);
    assert!(summary("VVVVVV", 1.0).bigeminy.is_empty());
}

#[test]
fn nothing_is_computed_across_an_unreadable_span() {
    let mut beats = rhythm("NNNVV--VVNNN", 1.0);
    let spans = [(4.5, 6.5)];
    let with = summarize(&beats, &spans, 12.0);
    assert!(with.pauses.is_empty(), "{:?}", with.pauses);
    assert_eq!((with.couplets.v, with.runs.v.len()), (2, 0));
    assert_eq!(
        (with.readable_s, with.unreadable_s, with.readable_beats),
        (10.0, 2.0, 10)
    );
    beats.retain(|beat| beat.readable);
    let without = summarize(&beats, &[], 12.0);
    assert_eq!(
        without.pauses,
        [Pause {
            start_s: 4.0,
            duration_s: 3.0
        }]
    );
}

#[test]
fn rates_and_rr_statistics_are_those_of_the_textbook() {
    let steady = summary(&"N".repeat(61), 0.8);
    assert_eq!(
        (steady.rate.min_bpm, steady.rate.mean_bpm, steady.rate.max_bpm),
        (Some(75.0), Some(75.0), Some(75.0))
    );
    assert_eq!(
        (steady.rr.mean_ms, steady.rr.sdnn_ms, steady.rr.pnn50),
        (Some(800.0), Some(0.0), Some(0.0))
    );
    // Intervals 700, 900, 700, 900 ms: successive differences are all 200 ms.
    let times = [0.0, 0.7, 1.6, 2.3, 3.2];
    let beats: Vec<_> = times
        .iter()
        .map(|&time_s| TimedBeat {
            time_s,
            class: Some(BeatClass::N),
            readable: true,
        })
        .collect();
    let rr = summarize(&beats, &[], 4.0).rr;
    assert_eq!(
        (rr.mean_ms, rr.sdnn_ms, rr.rmssd_ms, rr.pnn50),
        (Some(800.0), Some(115.5), Some(200.0), Some(1.0))
    );
    assert_eq!(rr.normal_intervals, 4);
}

#[test]
fn little_or_nothing_gives_no_figures_and_no_panic() {
    for letters in ["", "N", "NV", "-", "--"] {
        let summary = summary(letters, 1.0);
        assert_eq!(summary.rate.min_bpm, None);
        assert_eq!(summary.burden.v.is_some(), summary.readable_beats > 0);
    }
    assert_eq!(summarize(&[], &[(0.0, 5.0)], 5.0).readable_s, 0.0);
}

#[test]
fn a_burden_of_clustered_beats_is_less_sure_than_of_scattered_ones() {
    let scattered = "NNNNNNNNNV".repeat(180);
    let clustered = "N".repeat(1620) + &"V".repeat(180);
    let [scattered, clustered] = [scattered, clustered].map(|letters| summary(&letters, 1.0).burden.v.unwrap());
    assert_eq!((scattered.share, clustered.share), (0.1, 0.1));
    let width = |burden: &Burden| burden.high.unwrap() - burden.low.unwrap();
    assert!(
        width(&clustered) > 5.0 * width(&scattered),
        "{clustered:?} {scattered:?}"
    );
    assert!(scattered.low.unwrap() <= 0.1 && 0.1 <= scattered.high.unwrap());
}

#[test]
fn a_beat_without_a_class_separates_its_neighbours() {
    // Neither a pause, nor a couplet, nor an RR interval across it, though no span is given.
    let summary = summary("NNV-VNN", 1.2);
    assert!(summary.pauses.is_empty(), "{:?}", summary.pauses);
    assert_eq!((summary.couplets.v, summary.rr.normal_intervals), (0, 2));
    assert_eq!(summary.rate.mean_bpm, Some(50.0));
}

#[test]
fn summaries_of_long_recordings_stay_bounded() {
    let beats = rhythm(&"NNNNNNNNNV".repeat(10_000), 0.8);
    for duration_s in [80_000.0, 1e12, f64::INFINITY, f64::NAN] {
        let begun = std::time::Instant::now();
        let summary = summarize(&beats, &[], duration_s);
        assert_eq!(summary.readable_beats, 100_000);
        // Some 30 ms when optimised; what this guards against is hours.
        assert!(begun.elapsed().as_secs() < 20, "{duration_s}: {:?}", begun.elapsed());
    }
}

proptest! {
    #[test]
    fn counts_add_up_and_unreadable_beats_count_nowhere(letters in "[NSVFQ-]{0,200}", interval in 0.3_f64..2.5) {
        let summary = summary(&letters, interval);
        prop_assert_eq!(summary.counts.values().sum::<usize>(), summary.readable_beats);
        prop_assert_eq!(summary.readable_beats, letters.chars().filter(|letter| *letter != '-').count());
        prop_assert_eq!(summary.rate.hours.iter().map(|hour| hour.beats).sum::<usize>(), summary.readable_beats);
        if let Some(burden) = summary.burden.v {
            prop_assert!((burden.share - summary.counts[&BeatClass::V] as f64 / summary.readable_beats as f64).abs() < 1e-5);
        }
    }
}
