//! `kaggle-heartbeat-v1` reproduces the public table's rows from the raw records.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::path::{Path, PathBuf};

use einthoven_ecg::readers::{Hints, Input, Limits, NamedFile, read};
use einthoven_ecg::recipe::kaggle::{ROW, row};

/// A row of the table: each value and how far rounding may have moved it.
struct Printed(Vec<(f32, f32)>);

/// Some rows are printed with all digits of a 32-bit float, some as `9.46E-01`, with three.
fn printed(line: &str) -> Printed {
    let value = |field: &str| {
        let value: f32 = field.trim().parse().unwrap();
        let slack = match field.split_once(['E', 'e']) {
            Some((digits, exponent)) if digits.trim().len() <= 4 => {
                0.00501 * 10.0_f32.powi(exponent.trim().parse().unwrap())
            }
            _ => 1e-6,
        };
        (value, slack)
    };
    Printed(line.split(',').take(ROW).map(value).collect())
}

fn equals(printed: &Printed, row: &[f32; ROW]) -> bool {
    printed
        .0
        .iter()
        .zip(row)
        .all(|((value, slack), own)| (value - own).abs() <= slack + 1e-7)
}

#[test]
fn the_rows_kept_here_are_reproduced() {
    let text = include_str!("fixtures/kaggle/rows.txt");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 36);
    for entry in lines.chunks(3) {
        let marks: Vec<u64> = entry[0].split(' ').skip(1).map(|f| f.parse().unwrap()).collect();
        let samples: Vec<f32> = entry[1].split(',').map(|f| f.parse().unwrap()).collect();
        let own = row(&samples, 0, marks[1] - marks[0], marks[2] - marks[0]).unwrap();
        assert!(equals(&printed(entry[2]), &own), "{}", entry[0]);
    }
}

#[test]
fn the_public_table_is_reproduced() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let Ok(table) = std::fs::read_to_string(data.join("kaggle/mitbih_test_999N_1608Q.csv")) else {
        eprintln!(
            "SKIPPED: {} is absent, the Kaggle rows were not checked",
            data.display()
        );
        return;
    };
    let table: Vec<Printed> = table.lines().map(printed).collect();
    assert_eq!(table.len(), 2607);
    let mut own: Vec<[f32; ROW]> = headers(&data.join("mitdb"))
        .iter()
        .flat_map(|header| rows_of(header))
        .collect();
    own.sort_by(|a, b| a[1].total_cmp(&b[1]));
    let found = table
        .iter()
        .filter(|wanted| {
            let (value, slack) = (wanted.0[1].0, wanted.0[1].1 + 1e-7);
            let from = own.partition_point(|row| row[1] < value - slack);
            own[from..]
                .iter()
                .take_while(|row| row[1] <= value + slack)
                .any(|row| equals(wanted, row))
        })
        .count();
    let share = found as f64 / table.len() as f64;
    println!(
        "{found} of {} rows reproduced to print precision ({share:.4})",
        table.len()
    );
    assert!(share >= 0.995, "{share}");
}

fn headers(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "hea"))
        .collect();
    all.sort();
    assert_eq!(all.len(), 48);
    all
}

/// A row for every annotation of a record, of rhythm and noise too: those are marks in the table.
fn rows_of(header: &Path) -> Vec<[f32; ROW]> {
    let bytes: Vec<(String, Vec<u8>)> = ["hea", "dat", "atr"]
        .into_iter()
        .map(|extension| {
            let path = header.with_extension(extension);
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                std::fs::read(&path).unwrap(),
            )
        })
        .collect();
    let files: Vec<NamedFile> = bytes.iter().map(|(name, bytes)| NamedFile { name, bytes }).collect();
    let reading = read(&files, &Hints::default(), &Limits::default()).unwrap();
    let Input::Recording(recording) = reading.input else {
        panic!("{} is no recording", header.display());
    };
    let samples = &recording.leads[0].samples_mv;
    let marks: Vec<u64> = reading.annotations.unwrap().iter().map(|note| note.sample).collect();
    marks
        .windows(3)
        .filter_map(|m| row(samples, m[0], m[1], m[2]))
        .collect()
}
