//! Records of the MIT-BIH Arrhythmia Database for the tests: the committed excerpts, and the whole where it lies.
#![allow(dead_code, reason = "each test program uses its part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use einthoven_ecg::annotation::{Annotation, code};
use einthoven_ecg::readers::{Hints, Input, Limits, NamedFile, read};
use einthoven_ecg::recording::Recording;
use einthoven_ecg::score::{BeatComparison, Measures, Rules, compare};
use std::path::{Path, PathBuf};

/// A record with its reference annotations.
pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) recording: Recording,
    pub(crate) reference: Vec<Annotation>,
}

impl Record {
    /// Samples of a lead, millivolts.
    pub(crate) fn lead(&self, index: usize) -> &[f32] {
        &self.recording.leads[index].samples_mv
    }

    /// The reference against beats at `peaks`, samples of a signal at `rate_hz`.
    pub(crate) fn compared(&self, peaks: &[usize], rate_hz: f64, rules: &Rules) -> BeatComparison {
        let own = self.recording.sampling_rate_hz;
        let test: Vec<Annotation> = peaks
            .iter()
            .map(|&peak| Annotation {
                // EC57: the test's times go to the reference's rate, never the other way.
                sample: (peak as f64 * own / rate_hz).round() as u64,
                code: code::NORMAL,
                ..Annotation::default()
            })
            .collect();
        compare(&self.reference, &test, own, rules)
    }
}

/// Sensitivity and precision in percent, and root mean square of the offset in milliseconds.
pub(crate) fn figures(comparison: &BeatComparison) -> (f64, f64, f64) {
    let measures = Measures::of(comparison);
    (
        100.0 * measures.qrs_se.unwrap(),
        100.0 * measures.qrs_ppv.unwrap(),
        measures.offset_ms.unwrap(),
    )
}

fn folder(path: &Path) -> Vec<Record> {
    let mut names: Vec<String> = std::fs::read_dir(path)
        .unwrap()
        .filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_suffix(".hea")?.to_owned()))
        .collect();
    names.sort();
    names
        .into_iter()
        .map(|name| {
            let files: Vec<(String, Vec<u8>)> = ["hea", "dat", "atr"]
                .iter()
                .map(|ending| format!("{name}.{ending}"))
                .map(|file| (file.clone(), std::fs::read(path.join(file)).unwrap()))
                .collect();
            let named: Vec<NamedFile<'_>> = files.iter().map(|(name, bytes)| NamedFile { name, bytes }).collect();
            let reading = read(&named, &Hints::default(), &Limits::default()).unwrap();
            let Input::Recording(recording) = reading.input else {
                panic!("{name} is no recording")
            };
            Record {
                name,
                recording,
                reference: reading.annotations.unwrap(),
            }
        })
        .collect()
}

/// The committed minutes of records 100, 203 and 208.
pub(crate) fn excerpts() -> Vec<Record> {
    folder(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mitdb-excerpts"))
}

/// All 48 records, or `None`, said aloud, where they are not at hand.
pub(crate) fn whole() -> Option<Vec<Record>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/mitdb");
    if !path.is_dir() {
        eprintln!("SKIPPED: the MIT-BIH Arrhythmia Database is not in ../shared/data/mitdb");
        return None;
    }
    Some(folder(&path))
}
