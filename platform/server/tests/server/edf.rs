//! EDF and BDF files over HTTP: read by the reader that is a plugin, answered like any other recording.

use crate::client::{Server, borrowed, record_100};
use serde_json::Value;
use std::path::Path;

/// Two seconds of two leads, written by pyedflib.
fn small_bdf() -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../readers/edf/tests/fixtures/small.bdf")).unwrap()
}

#[test]
fn a_recorders_edf_file_is_classified() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/formats");
    let Ok(bytes) = std::fs::read(data.join("edf/0000050.ECG.edf")) else {
        eprintln!("SKIPPED: ../shared/data/formats is not here, so this test checked nothing");
        return;
    };
    let server = Server::start();
    let answer = server.form("/v1/classify", &[("0000050.ECG.edf", &bytes)], &[]);
    assert_eq!(answer.status, 200, "{}", answer.json());
    let document = answer.json();
    let recording = &document["recording"];
    assert_eq!(
        (recording["name"].as_str(), recording["format"].as_str()),
        (Some("0000050.ECG"), Some("edf"))
    );
    assert_eq!(
        (recording["sampling_rate_hz"].as_f64(), recording["samples"].as_u64()),
        (Some(800.0), Some(37855))
    );
    assert_eq!(document["lead"], "II");
    // The same recording as a table of the converter's values, put on the scale of the EDF header, has the same beats.
    let table = std::fs::read_to_string(data.join("text/contec-0000050.csv")).unwrap();
    let scaled: String = table
        .lines()
        .map(|row| {
            let stored: f64 = row.split(',').nth(1).unwrap().parse().unwrap();
            format!("{}\n", (stored + 32768.0) * 2000.0 / 65535.0 - 1000.0)
        })
        .collect();
    let fields = [("rate", "800"), ("unit", "mV")];
    let by_table = server.form("/v1/classify", &[("lead-ii.csv", scaled.as_bytes())], &fields);
    assert_eq!(by_table.status, 200, "{}", by_table.json());
    let beats = |document: &Value| -> Vec<(u64, String)> {
        let beats = document["beats"].as_array().unwrap().iter();
        beats
            .map(|beat| (beat["sample"].as_u64().unwrap(), beat["class"].to_string()))
            .collect()
    };
    assert!(!beats(&document).is_empty());
    assert_eq!(beats(&document), beats(&by_table.json()));
    assert!(
        !answer.json().to_string().contains("16-NOV"),
        "the date of the recording left the file"
    );

    let wrong_rate = server.form("/v1/classify", &[("0000050.ECG.edf", &bytes)], &[("rate", "500")]);
    let said = wrong_rate.problem(422, "unreadable");
    assert!(said.contains("800") && said.contains("500"), "{said}");
}

#[test]
fn a_bdf_file_without_a_unit_is_asked_for_it() {
    let server = Server::start();
    let whole = small_bdf();
    let answer = server.post("/v1/classify", "application/octet-stream", &whole);
    assert_eq!(answer.status, 200, "{}", answer.json());
    assert_eq!(answer.json()["recording"]["leads"].as_array().unwrap().len(), 2);
    assert_eq!(answer.json()["recording"]["flags"][0]["code"], "signal_left_out");

    // The physical dimensions of the four signals lie after their labels and transducers.
    let mut silent = whole.clone();
    silent[256 + 4 * 96..][..16].fill(b' ');
    let asked = server.form("/v1/classify", &[("a.bdf", &silent)], &[]);
    let said = asked.problem(422, "missing_field");
    assert!(said.contains("a.bdf") && said.contains("ECG I"), "{said}");
    assert_eq!(asked.json()["errors"][0]["pointer"], "unit");
    assert_eq!(
        server
            .form("/v1/classify", &[("a.bdf", &silent)], &[("unit", "uV")])
            .status,
        200
    );

    // A WFDB record beside it goes first, as before.
    let mut files = vec![("a.bdf", whole)];
    files.extend(record_100());
    let answer = server.form("/v1/classify", &borrowed(&files), &[]);
    assert_eq!(answer.json()["recording"]["format"], "wfdb");
}
