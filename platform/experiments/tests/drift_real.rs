//! Real recordings that are changed raise an alarm soon; those that are not raise no more than are promised. docs/compare.md has
//! the table.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use einthoven_ecg::detect::r_peaks;
use einthoven_ecg::figures::figures;
use einthoven_ecg::quality::{Grade, assess};
use einthoven_ecg::readers::{Hints, Input, Limits, NamedFile, read};
use einthoven_ecg::recording::Recording;
use einthoven_experiments::drift::{Figures, Reference, Rule, drift};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::f64::consts::PI;
use std::path::Path;

/// Recordings of each record: so many pieces of a minute.
const PIECES: usize = 5;
/// Recordings of the reference, as a server takes them.
const REFERENCE: usize = 100;

/// Minutes of all records that have the lead MLII first, evenly spread; none, said aloud, where they are not at hand.
fn minutes() -> Option<Vec<Recording>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/mitdb");
    if !folder.is_dir() {
        eprintln!("SKIPPED: the MIT-BIH Arrhythmia Database is not in ../shared/data/mitdb");
        return None;
    }
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_suffix(".hea")?.to_owned()))
        .collect();
    names.sort();
    let mut minutes = Vec::new();
    for name in names {
        let files = ["hea", "dat"].map(|ending| {
            let file = format!("{name}.{ending}");
            let bytes = std::fs::read(folder.join(&file)).unwrap();
            (file, bytes)
        });
        let named = files.each_ref().map(|(name, bytes)| NamedFile { name, bytes });
        let reading = read(&named, &Hints::default(), &Limits::default()).unwrap();
        let Input::Recording(whole) = reading.input else {
            panic!("{name} is no recording")
        };
        if whole.leads[0].name != "MLII" {
            continue;
        }
        let length = (60.0 * whole.sampling_rate_hz) as usize;
        let apart = whole.len() / PIECES;
        minutes.extend((0..PIECES).map(|piece| {
            let mut minute = whole.clone();
            for lead in &mut minute.leads {
                lead.samples_mv = lead.samples_mv[piece * apart..piece * apart + length].to_vec();
            }
            minute
        }));
    }
    Some(minutes)
}

/// What the journal has of a recording before a model says anything: as a server makes it.
fn row(recording: &Recording) -> Figures {
    let (lead, rate) = (&recording.leads[0], recording.sampling_rate_hz);
    let beats = r_peaks(&lead.samples_mv, rate);
    let quality = assess(lead, rate, &beats);
    let readable: Vec<usize> = beats
        .iter()
        .zip(&quality.beats)
        .filter(|(_, grade)| **grade != Grade::Unreadable)
        .map(|(beat, _)| *beat)
        .collect();
    let mut row = figures(recording, 0, &readable);
    let mean = |of: fn(&einthoven_ecg::quality::Window) -> f32| {
        let values: Vec<f64> = quality.windows.iter().map(|window| f64::from(of(window))).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    let unreadable: usize = quality.unreadable.iter().map(|span| span.end - span.start).sum();
    row.extend(
        [
            ("duration_s", recording.duration_s()),
            ("leads", recording.leads.len() as f64),
            ("sampling_rate_hz", rate),
            ("unreadable_spans", quality.unreadable.len() as f64),
            ("readable_share", 1.0 - unreadable as f64 / recording.len() as f64),
            ("k_sqi", mean(|window| window.k_sqi)),
            ("p_sqi", mean(|window| window.p_sqi)),
            ("bas_sqi", mean(|window| window.bas_sqi)),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    if let [first, .., last] = beats[..] {
        let rate_bpm = 60.0 * rate * (beats.len() - 1) as f64 / (last - first) as f64;
        row.insert("rate_bpm".to_owned(), rate_bpm);
    }
    row
}

fn each(recording: &mut Recording, change: impl Fn(usize, f32) -> f32) {
    for lead in &mut recording.leads {
        for (at, sample) in lead.samples_mv.iter_mut().enumerate() {
            *sample = change(at, *sample);
        }
    }
}

fn every_other(recording: &mut Recording) {
    for lead in &mut recording.leads {
        lead.samples_mv = lead.samples_mv.iter().copied().step_by(2).collect();
    }
}

/// A change, and within how many recordings it raises an alarm.
type Change = (&'static str, fn(&mut Recording), usize);

const CHANGES: [Change; 7] = [
    ("amplitude doubled", |recording| each(recording, |_, mv| 2.0 * mv), 20),
    (
        "50 Hz noise of 0.05 mV",
        |recording| {
            let rate = recording.sampling_rate_hz;
            each(recording, |at, mv| {
                mv + (0.05 * (2.0 * PI * 50.0 * at as f64 / rate).sin()) as f32
            });
        },
        20,
    ),
    (
        "electrodes exchanged: the first lead is upside down",
        |recording| recording.leads[0].samples_mv.iter_mut().for_each(|mv| *mv = -*mv),
        20,
    ),
    (
        "two leads exchanged, under their old names",
        |recording| {
            let [first, second, ..] = &mut recording.leads[..] else {
                return;
            };
            std::mem::swap(&mut first.samples_mv, &mut second.samples_mv);
        },
        40,
    ),
    ("the second lead missing", |recording| recording.leads.truncate(1), 20),
    ("half the sampling rate, declared as before", every_other, 20),
    (
        "half the sampling rate, declared",
        |recording| {
            every_other(recording);
            recording.sampling_rate_hz /= 2.0;
        },
        20,
    ),
];

#[test]
fn real_recordings_that_are_changed_raise_an_alarm_soon_and_others_do_not() {
    let Some(minutes) = minutes() else { return };
    let plain: Vec<Figures> = minutes.iter().map(row).collect();
    let mut random = ChaCha8Rng::seed_from_u64(24);
    let mut order: Vec<usize> = (0..minutes.len()).collect();
    let rule = Rule::default();
    let rows =
        |places: &[usize], all: &[Figures]| -> Vec<Figures> { places.iter().map(|at| all[*at].clone()).collect() };

    // What does not change: the same recordings, dealt out anew each time.
    let windows = 300;
    let mut alarms = 0;
    for window in 0..windows {
        order.shuffle(&mut random);
        let number = [20, 40, 100][window % 3];
        let (reference, rest) = order.split_at(REFERENCE);
        let reference = Reference::of(&rows(reference, &plain));
        let found = drift(&reference, &rows(&rest[..number], &plain), &rule);
        alarms += u32::from(found.alarm);
    }
    println!("nothing changed: {alarms} of {windows} windows raise an alarm");
    // One per cent, and three standard deviations.
    assert!(alarms <= 3 + 5, "{alarms}");

    let mut late = BTreeMap::new();
    for (name, change, within) in CHANGES {
        let mut changed = minutes.clone();
        changed.iter_mut().for_each(change);
        let changed: Vec<Figures> = changed.iter().map(row).collect();
        for number in [20, 40] {
            let streams = 30;
            let seen = (0..streams).filter(|_| {
                order.shuffle(&mut random);
                let (reference, rest) = order.split_at(REFERENCE);
                let start = random.random_range(0..=rest.len() - number);
                let window = rows(&rest[start..start + number], &changed);
                drift(&Reference::of(&rows(reference, &plain)), &window, &rule).alarm
            });
            let seen = seen.count();
            println!("{name}: {seen} of {streams} streams within {number} recordings");
            if number == within && seen * 10 < streams * 9 {
                late.insert(name, seen);
            }
        }
    }
    assert!(late.is_empty(), "not seen in nine of ten streams: {late:?}");
}
