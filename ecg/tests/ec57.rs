//! Our scoring against what `bxb` and `rxr` printed for the same annotation files, and the database's class counts.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::path::{Path, PathBuf};

use einthoven_ecg::annotation::{Annotation, Mapping, decode};
use einthoven_ecg::beat::BeatClass;
use einthoven_ecg::score::{DS1, DS2, Measures, PACED, Rules, compare, compare_runs};

type Matrix = [[u64; 7]; 7];

fn annotations(path: &Path) -> Vec<Annotation> {
    decode(&std::fs::read(path).unwrap()).unwrap()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/ec57")
        .join(name)
}

/// The tables of the printed output in order: cells that are not printed are 0.
fn tables(text: &str, rows: [&str; 7], left_aligned: bool) -> Vec<Matrix> {
    let lines: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.split_once('|'))
        .map(|(row, cells)| (row.trim(), cells))
        .filter(|(row, _)| rows.contains(row))
        .collect();
    lines
        .chunks(7)
        .map(|table| {
            let mut matrix = [[0; 7]; 7];
            for (row, (_, cells)) in table.iter().enumerate() {
                let cells: Vec<u64> = cells.split_whitespace().map(|cell| cell.parse().unwrap()).collect();
                let skip = if left_aligned { 0 } else { 7 - cells.len() };
                matrix[row][skip..skip + cells.len()].copy_from_slice(&cells);
            }
            matrix
        })
        .collect()
}

fn transposed(matrix: Matrix) -> Matrix {
    std::array::from_fn(|row| std::array::from_fn(|column| matrix[column][row]))
}

#[test]
fn matrices_and_rr_error_are_those_of_the_wfdb_programs() {
    for record in ["203", "207", "222"] {
        let reference = annotations(&fixture(&format!("{record}.atr")));
        let test = annotations(&fixture(&format!("{record}.tst")));
        let printed = std::fs::read_to_string(fixture(&format!("{record}.txt"))).unwrap();
        let rules = Rules {
            mapping: Mapping::AamiBxb,
            ..Rules::default()
        };

        let beats = compare(&reference, &test, 360.0, &rules);
        assert_eq!(
            vec![beats.matrix],
            tables(&printed, ["N", "S", "V", "F", "Q", "O", "X"], true),
            "{record}"
        );
        let rr_error: f64 = printed
            .lines()
            .find_map(|line| {
                line.trim()
                    .strip_prefix("RMS RR interval error:")?
                    .trim()
                    .strip_suffix("ms")
            })
            .and_then(|number| number.trim().parse().ok())
            .unwrap();
        let ours = Measures::of(&beats).rr_error_ms.unwrap();
        assert!((ours - rr_error).abs() < 0.0051, "{record}: {ours} and {rr_error} ms");

        let runs = [BeatClass::V, BeatClass::S].map(|class| compare_runs(&reference, &test, 360.0, &rules, class));
        // rxr prints the reference in rows of both its tables; our second has the test's runs in rows.
        let ours: Vec<Matrix> = runs
            .iter()
            .flat_map(|run| [run.sensitivity, transposed(run.predictivity)])
            .collect();
        assert_eq!(
            ours,
            tables(&printed, ["0", "1", "2", "3", "4", "5", ">5"], false),
            "{record}"
        );
    }
}

#[test]
fn classes_of_the_whole_database_have_their_known_counts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/mitdb");
    if !folder.is_dir() {
        eprintln!("SKIPPED: the MIT-BIH records are not at ../shared/data/mitdb beside the repository");
        return;
    }
    let count = |records: &[&str], from: u64| {
        let mut counts = [0_u64; 5];
        for record in records {
            for annotation in annotations(&folder.join(format!("{record}.atr"))) {
                if let Some(class) = Mapping::AamiDechazal
                    .class(annotation.code)
                    .filter(|_| annotation.sample >= from)
                {
                    counts[class as usize] += 1;
                }
            }
        }
        counts
    };
    assert_eq!(count(&DS1, 0), [45_866, 944, 3_788, 415, 8]);
    assert_eq!(count(&DS2, 0), [44_259, 1_837, 3_221, 388, 7]);
    assert_eq!(count(&DS1, 108_000), [38_012, 894, 3_214, 335, 8]);
    assert_eq!(count(&DS2, 108_000), [36_926, 1_608, 2_686, 288, 7]);
    assert_eq!(count(&PACED, 0), [506, 0, 227, 0, 8_028]);
}
