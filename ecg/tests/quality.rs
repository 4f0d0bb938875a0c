//! The quality gate on real leads: silent on clean ones, awake to what is done to them.
#![allow(missing_docs, reason = "a test program")]

mod mitdb;

use einthoven_ecg::annotation::{Mapping, code};
use einthoven_ecg::detect::r_peaks;
use einthoven_ecg::quality::{Grade, Quality, Reason, assess};
use einthoven_ecg::recording::Lead;
use std::f64::consts::PI;

const RATE: f64 = 360.0;

fn graded(lead: &Lead, samples_mv: Vec<f32>, rate_hz: f64) -> (Quality, Vec<usize>) {
    let beats = r_peaks(&samples_mv, rate_hz);
    let lead = Lead {
        samples_mv,
        ..lead.clone()
    };
    (assess(&lead, rate_hz, &beats), beats)
}

fn withheld(quality: &Quality) -> usize {
    quality
        .beats
        .iter()
        .filter(|grade| **grade == Grade::Unreadable)
        .count()
}

#[test]
fn the_clean_database_is_left_alone() {
    let Some(records) = mitdb::whole() else { return };
    let (mut all, mut lost, mut lost_suspect, mut noisy) = (0, 0, 0, 0);
    let mut lost_by_class = [0; 5];
    for record in &records {
        let lead = &record.recording.leads[0];
        // Reference beats, so that what the gate takes away is counted in beats that are there.
        let beats: Vec<(usize, usize)> = record
            .reference
            .iter()
            .filter_map(|a| Some((a.sample as usize, Mapping::default().class(a.code)? as usize)))
            .collect();
        let found = r_peaks(&lead.samples_mv, RATE);
        let quality = assess(lead, RATE, &found);
        let noise: Vec<usize> = record
            .reference
            .iter()
            .filter(|a| a.code == code::NOISE && a.subtype != 0)
            .map(|a| a.sample as usize)
            .collect();
        let mut of_record = 0;
        for (beat, class) in &beats {
            if quality
                .unreadable
                .iter()
                .any(|span| (span.start..span.end).contains(beat))
            {
                of_record += 1;
                lost_by_class[*class] += 1;
                noisy += usize::from(noise.iter().any(|at| at.abs_diff(*beat) < 20 * RATE as usize));
            }
        }
        let suspect = quality.beats.iter().filter(|grade| **grade == Grade::Suspect).count();
        if of_record > 0 {
            eprintln!("{}: {of_record} of {} beats unreadable", record.name, beats.len());
        }
        all += beats.len();
        lost += of_record;
        lost_suspect += suspect;
    }
    eprintln!("withheld {lost} of {all} beats (N S V F Q {lost_by_class:?}), {noisy} within 20 s of annotated noise");
    eprintln!("suspect {lost_suspect} detected beats");
    assert!(lost * 200 <= all, "{lost} of {all}: more than 0.5 %");
}

/// Noise of a fixed seed, uniform in -1..1.
fn noise(count: usize) -> Vec<f32> {
    let mut seed = 99_u32;
    (0..count)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

/// What is done to samples 7200 to 14400 of a one-minute excerpt.
fn corrupted(kind: &str, samples: &[f32]) -> Vec<f32> {
    let noise = noise(samples.len());
    let mut smooth = 0.0;
    samples
        .iter()
        .enumerate()
        .map(|(i, &x)| {
            let seconds = i as f64 / RATE;
            smooth += 0.1 * (noise[i] - smooth);
            if !(7200..14_400).contains(&i) {
                return x;
            }
            match kind {
                "flat" => 0.0,
                "flat, 10 uV noise" => 0.01 * noise[i],
                "invalid" => f32::NAN,
                "at the upper rail" => 5.115,
                "clipped at half" => x.clamp(-0.1, 0.1),
                "muscle noise 3 mV" => x + 3.0 * noise[i],
                "muscle noise 1 mV" => x + noise[i],
                "motion noise 10 mV" => x + 10.0 * smooth,
                "mains alone 1 mV" => (2.0 * PI * 50.0 * seconds).sin() as f32,
                "x 1000" => 1000.0 * x,
                _ => x,
            }
        })
        .collect()
}

#[test]
fn corrupted_stretches_are_withheld_and_their_neighbours_not() {
    let excerpts = mitdb::excerpts();
    // Least share of the corrupted 20 s that must be withheld.
    let kinds = [
        ("flat", 0.95),
        ("flat, 10 uV noise", 0.95),
        ("invalid", 0.95),
        ("at the upper rail", 0.95),
        ("clipped at half", 0.95),
        ("muscle noise 1 mV", 0.6),
        ("muscle noise 3 mV", 0.95),
        ("motion noise 10 mV", 0.95),
        ("mains alone 1 mV", 0.95),
        ("x 1000", 0.95),
        ("nothing", 0.0),
    ];
    eprintln!("share of the corrupted seconds withheld, not called good; share of the clean seconds withheld");
    for (kind, least) in kinds {
        let (mut recall, mut alert, mut false_alarm) = (0, 0, 0);
        for record in &excerpts {
            let lead = &record.recording.leads[0];
            let (quality, _) = graded(lead, corrupted(kind, &lead.samples_mv), RATE);
            let overlap = |start: usize, end: usize| end.min(14_400).saturating_sub(start.max(7200));
            for span in &quality.unreadable {
                let hit = overlap(span.start, span.end);
                recall += hit;
                false_alarm += span.end - span.start - hit;
            }
            for window in quality.windows.iter().filter(|window| window.grade != Grade::Good) {
                alert += overlap(window.start, window.end);
            }
        }
        let share = |count: usize, of: usize| count as f64 / (of * excerpts.len()) as f64;
        let (recall, alert, false_alarm) = (share(recall, 7200), share(alert, 7200), share(false_alarm, 14_400));
        eprintln!("{kind:20} {recall:.2} {alert:.2} {false_alarm:.2}");
        assert!(recall >= least, "{kind}: {recall}");
        assert!(false_alarm <= 0.05, "{kind}: {false_alarm}");
    }
}

#[test]
fn a_wrong_unit_withholds_everything_and_says_why() {
    for record in mitdb::excerpts() {
        let lead = &record.recording.leads[0];
        for length in [1080, 21_600] {
            let samples = lead.samples_mv[..length].iter().map(|x| 1000.0 * x).collect();
            let (quality, beats) = graded(lead, samples, RATE);
            assert_eq!(withheld(&quality), beats.len());
            assert!(
                quality
                    .windows
                    .iter()
                    .all(|w| w.reasons.contains(&Reason::AmplitudeImplausible))
            );
        }
    }
}

#[test]
fn three_seconds_are_graded_like_ten() {
    for record in mitdb::excerpts() {
        let lead = &record.recording.leads[0];
        let (quality, beats) = graded(lead, lead.samples_mv[..1080].to_vec(), RATE);
        assert_eq!((quality.windows.len(), quality.beats.len()), (1, beats.len()));
        assert_eq!(withheld(&quality), 0, "{}: {:?}", record.name, quality.windows);
    }
}

#[test]
fn a_flat_line_is_wholly_unreadable() {
    let excerpts = mitdb::excerpts();
    let (quality, beats) = graded(&excerpts[0].recording.leads[0], vec![0.3; 36_123], RATE);
    assert!(beats.is_empty());
    assert_eq!(
        (
            quality.unreadable.len(),
            quality.unreadable[0].start,
            quality.unreadable[0].end
        ),
        (1, 0, 36_123)
    );
}

#[test]
fn a_wrong_rate_is_noticed_when_no_heart_beats_so() {
    let excerpts = mitdb::excerpts();
    let lead = &excerpts[0].recording.leads[0];
    // 74 beats a minute told as 1440 Hz would be 296.
    let (quality, _) = graded(lead, lead.samples_mv.clone(), 1440.0);
    assert!(
        quality.windows.iter().all(|window| window.grade != Grade::Good),
        "{:?}",
        quality.windows
    );
}
