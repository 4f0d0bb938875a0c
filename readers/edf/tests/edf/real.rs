//! Files that other programs wrote, against what other programs read from them.

use crate::sink::{Kept, read, reader};
use einthoven_plugin_sdk::{InputFile, ReadHints, Reader};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// A file of the full data, or `None`, said loudly, where it is not on this machine.
fn data(path: &str) -> Option<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if root.is_dir() {
        return Some(std::fs::read(root.join(path)).unwrap());
    }
    eprintln!("SKIPPED: the folder ../shared/data is not here, so this test checked nothing");
    None
}

/// Compares with `expected.json`, which `make.py` wrote.
fn agrees(name: &str, bytes: &[u8], tolerance_mv: f64) -> Kept {
    let all: Value = serde_json::from_slice(&std::fs::read(fixtures().join("expected.json")).unwrap()).unwrap();
    let expected = all[name].as_object().unwrap();
    let got = read(&[(name, bytes)], &ReadHints::default()).unwrap();
    assert_eq!(got.leads.len(), expected.len(), "{name}: {:?}", got.names());
    for lead in &got.leads {
        let facts = &expected[&lead.name];
        assert_eq!(got.rate, facts["rate"].as_f64().unwrap());
        assert_eq!(lead.samples_mv.len() as u64, facts["samples"].as_u64().unwrap());
        for (at, value) in facts["at"].as_object().unwrap() {
            let (sample, value) = (lead.samples_mv[at.parse::<usize>().unwrap()], value.as_f64().unwrap());
            assert!(
                (f64::from(sample) - value).abs() <= tolerance_mv,
                "{name}, {}, sample {at}: {sample} instead of {value}",
                lead.name
            );
        }
        let sum: f64 = lead.samples_mv.iter().copied().map(f64::from).sum();
        let bound = tolerance_mv * lead.samples_mv.len() as f64;
        assert!(
            (sum - facts["sum_mv"].as_f64().unwrap()).abs() <= bound,
            "{name}, {}: sum {sum}",
            lead.name
        );
    }
    got
}

#[test]
fn a_recorders_file_is_read_as_pyedflib_reads_it() {
    let Some(bytes) = data("formats/edf/0000050.ECG.edf") else {
        return;
    };
    let got = agrees("0000050.ECG.edf", &bytes, 1e-6);
    assert_eq!(got.record, "0000050.ECG");
    assert_eq!(
        got.names(),
        [
            "I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"
        ]
    );
    assert!(got.flags.is_empty(), "{:?}", got.flags);
    assert_eq!(got.leads[0].rails_mv, Some((-1000.0, 1000.0)));

    // The same recording as a table of the converter's values, six leads of them not empty.
    let table = String::from_utf8(data("formats/text/contec-0000050.csv").unwrap()).unwrap();
    let rows: Vec<_> = table.lines().collect();
    assert_eq!(rows.len(), got.leads[0].samples_mv.len());
    for (at, row) in rows.iter().enumerate() {
        for (lead, cell) in got.leads.iter().zip(row.split(',').take(6)) {
            let stored = (f64::from(lead.samples_mv[at]) + 1000.0) * 65535.0 / 2000.0 - 32768.0;
            assert!(
                (stored - cell.parse::<f64>().unwrap()).abs() < 0.01,
                "row {at}: {stored} for {cell}"
            );
        }
    }
}

#[test]
fn a_generators_file_is_read_as_wfdb_reads_its_own_copy() {
    let Some(bytes) = data("wfdb-samples/test_generator_2.edf") else {
        return;
    };
    // WFDB keeps the gain and drops half a step (0.015 uV) of offset.
    let got = agrees("test_generator_2.edf", &bytes, 1.6e-5);
    // Square waves and sines in microvolts, two of them in degrees; the one named ECG is the ECG.
    assert_eq!(got.codes(), ["signal_left_out"; 10]);
}

#[test]
fn a_file_of_annotations_alone_is_no_recording() {
    let Some(bytes) = data("wfdb-samples/test_edfann.edf") else {
        return;
    };
    let failure = read(&[("test_edfann.edf", &bytes)], &ReadHints::default()).unwrap_err();
    assert!(
        failure.message.contains("none of its signals is a voltage"),
        "{failure}"
    );
}

#[test]
fn a_bdf_file_is_read_as_pyedflib_reads_it() {
    let bytes = std::fs::read(fixtures().join("small.bdf")).unwrap();
    let got = agrees("small.bdf", &bytes, 1e-6);
    assert_eq!(got.names(), ["ECG I", "ECG II"]);
    assert_eq!(got.codes(), ["signal_left_out"]);
    assert!(
        got.flags[0].1.contains("SpO2") && got.flags[0].1.contains('%'),
        "{:?}",
        got.flags
    );
    assert_eq!(got.leads[0].rails_mv, Some((-5.0, 5.0)));
}

#[test]
fn other_formats_are_left_to_others() {
    let recognised = |name: &str, bytes: &[u8]| reader().recognises(&[InputFile { name, bytes }]);
    let bdf = std::fs::read(fixtures().join("small.bdf")).unwrap();
    assert!(recognised("small.bdf", &bdf) && recognised("without-ending", &bdf));
    assert!(!recognised("a.csv", &b"0       1\n".repeat(100)));
    assert!(!recognised("a.edf", b"RIFF1234WAVE") && !recognised("a.edf", b""));
    for other in [
        "formats/dicom/waveform_ecg.dcm",
        "formats/scp/0000050.ECG.scp",
        "formats/text/contec-0000050.csv",
        "wfdb-samples/100.hea",
        "wfdb-samples/100.dat",
        "wfdb-samples/SC4001E0-PSG.wav",
    ] {
        if let Some(bytes) = data(other) {
            assert!(!recognised(other, &bytes), "{other}");
        }
    }
}
