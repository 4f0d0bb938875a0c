//! Entries to record.

use einthoven_journal::{Beats, Digests, Entry, Journal, Latency, Mode, Quality, Settings, Unit};
use jiff::Timestamp;
use std::path::Path;
use uuid::Uuid;

pub(crate) const CLASSES: [&str; 4] = ["N", "S", "V", "F"];

/// An entry of `beats` beats; everything follows from the number.
pub(crate) fn entry(number: u64, beats: usize) -> Entry {
    let mut said = Beats::default();
    for beat in 0..beats {
        let class = u16::try_from((number as usize + beat) % CLASSES.len()).unwrap();
        let unreadable = beat % 17 == 16;
        let probabilities: Vec<f32> = (0..4).map(|label| if label == class { 0.91 } else { 0.03 }).collect();
        said.push(beat as u64 * 300 + 77, (!unreadable).then_some(class), &probabilities);
    }
    Entry {
        id: Uuid::now_v7(),
        at: Timestamp::from_millisecond(1_764_000_000_000 + i64::try_from(number).unwrap() * 1000).unwrap(),
        principal: format!("key:{}", number % 3),
        subject: (!number.is_multiple_of(4)).then(|| format!("subject-{}", number % 4)),
        record: Some(format!("record-{number}")),
        model: ["heartbeat", "atria"][number as usize % 2].to_owned(),
        version: (number % 3).to_string(),
        digests: Digests {
            input: format!("{number:064x}"),
            model: "m".repeat(64),
            recipe: "r".repeat(64),
            plugin: None,
            answer: "a".repeat(64),
        },
        recipe: "beat-rr-v1".to_owned(),
        engine: "tract".to_owned(),
        device: "cpu".to_owned(),
        provider: "tract 0.23".to_owned(),
        parameters: [("lead".to_owned(), "MLII".to_owned())].into(),
        arm: None,
        latency: Latency {
            total_us: 1500 + number,
            ..Latency::default()
        },
        sampling_rate_hz: Some(360.0),
        labels: CLASSES.map(str::to_owned).to_vec(),
        unit: Unit::Beats,
        beats: said,
        quality: Quality::default(),
        summary: serde_json::json!({ "rate_bpm": 70 + number % 20 }),
    }
}

pub(crate) fn audit() -> Settings {
    Settings {
        mode: Mode::Audit,
        ..Settings::default()
    }
}

pub(crate) fn open(folder: &Path) -> Journal {
    Journal::open(folder, audit()).unwrap()
}

/// Every file under a folder.
pub(crate) fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The segments of entries.
pub(crate) fn segments(folder: &Path) -> Vec<std::path::PathBuf> {
    let all = files(&folder.join("entries"));
    all.into_iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "seg"))
        .collect()
}

/// All entries, newest first.
pub(crate) fn all(journal: &Journal) -> Vec<Entry> {
    journal
        .entries(einthoven_journal::Filter::default(), None)
        .map(Result::unwrap)
        .collect()
}
