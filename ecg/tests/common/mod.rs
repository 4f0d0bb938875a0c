//! What the tests of the readers share.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test binary uses a part")]

use einthoven_ecg::readers::{Hints, Input, Limits, NamedFile, ReadError, Reading, read};
use einthoven_ecg::recording::Recording;
use std::path::{Path, PathBuf};

/// A committed fixture's bytes.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

/// A folder of the full data, or `None`, said loudly, where it is not on this machine.
pub(crate) fn data(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data")
        .join(folder);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: the folder ../shared/data/{folder} is not here, so this test checked nothing");
    None
}

/// Reads files given as pairs of name and content.
pub(crate) fn read_files(files: &[(&str, &[u8])], hints: &Hints) -> Result<Reading, ReadError> {
    let files: Vec<_> = files.iter().map(|(name, bytes)| NamedFile { name, bytes }).collect();
    read(&files, hints, &Limits::default())
}

/// Reads one text file.
pub(crate) fn read_text(text: &str, hints: &Hints) -> Result<Reading, ReadError> {
    read_files(&[("table.csv", text.as_bytes())], hints)
}

/// The recording inside a reading.
pub(crate) fn recording(reading: Result<Reading, ReadError>) -> Recording {
    match reading.unwrap().input {
        Input::Recording(recording) => recording,
        Input::BeatRows(rows) => panic!("{} rows of beats instead of a recording", rows.rows.len()),
    }
}

/// The codes of a recording's flags.
pub(crate) fn flag_codes(recording: &Recording) -> Vec<&str> {
    recording.flags.iter().map(|flag| flag.code.as_ref()).collect()
}
