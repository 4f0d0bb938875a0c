//! WFDB records against what is known about them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{data, fixture, flag_codes, read_files, recording};
use einthoven_ecg::readers::{Hints, Limits, NamedFile, read};
use einthoven_ecg::recording::{Recording, StandardLead};
use std::path::Path;

fn excerpt() -> [(&'static str, Vec<u8>); 3] {
    ["100s.hea", "100s.dat", "100s.atr"].map(|name| (name, fixture(name)))
}

#[test]
fn a_minute_of_record_100_is_read_with_its_beats() {
    let files = excerpt();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    let reading = read_files(&files, &Hints::default()).unwrap();
    let beats = reading.annotations.clone().unwrap();
    assert_eq!((beats.len(), beats[0].sample, beats[1].sample), (75, 18, 77));
    assert_eq!(beats[0].aux, b"(N");
    let recording = recording(Ok(reading));
    assert_eq!((recording.sampling_rate_hz, recording.len()), (360.0, 21_600));
    let [first, second] = recording.leads.as_slice() else {
        panic!("{} leads", recording.leads.len());
    };
    assert_eq!(
        (first.standard, second.standard),
        (Some(StandardLead::MLII), Some(StandardLead::V5))
    );
    // 995 and 1011 steps at 200 to the millivolt around 1024.
    assert_eq!((first.samples_mv[0], second.samples_mv[0]), (-0.145, -0.065));
    assert_eq!(first.rails_mv, Some((-5.12, 5.115)));
    assert_eq!(flag_codes(&recording), ["unit_from_specification"; 2]);
}

/// All formats hold the same samples, so all must read alike.
#[test]
fn every_signal_format_gives_the_same_samples() {
    let header = fixture("formats.hea");
    let names = [8, 16, 24, 32, 61, 80, 160, 212, 310, 311, 508, 516, 524].map(|n| format!("formats.d{n}"));
    let bodies: Vec<_> = names.iter().map(|name| fixture(name)).collect();
    let mut files: Vec<(&str, &[u8])> = vec![("formats.hea", &header)];
    files.extend(
        names
            .iter()
            .zip(&bodies)
            .map(|(name, body)| (name.as_str(), body.as_slice())),
    );
    let all = recording(read_files(&files, &Hints::default()));
    let excerpt = excerpt();
    let excerpt: Vec<(&str, &[u8])> = excerpt.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    let original = recording(read_files(&excerpt, &Hints::default()));
    assert_eq!((all.leads.len(), all.len()), (13, 1001));
    assert!(!flag_codes(&all).contains(&"checksum_mismatch"), "{:?}", all.flags);
    for lead in &all.leads {
        let narrow = ["8", "80", "508"].contains(&lead.name.trim_start_matches("format "));
        for (got, want) in lead.samples_mv.iter().zip(&original.leads[0].samples_mv) {
            // Eight bits hold half the steps: at most one step of 0.005 mV is lost.
            let lost = want - got;
            assert!(
                if narrow {
                    (-1e-6..0.0051).contains(&lost)
                } else {
                    lost == 0.0
                },
                "{}: {got} {want}",
                lead.name
            );
        }
    }
}

fn words(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

fn one(header: &str, samples: &[i16]) -> Recording {
    recording(read_files(
        &[("r.hea", header.as_bytes()), ("r.dat", &words(samples))],
        &Hints::default(),
    ))
}

#[test]
fn frames_skew_offset_and_units_are_honoured() {
    // Two samples a frame of the ECG beside one of pressure: the ECG's rate counts.
    let framed = one(
        "r 2 250 2\nr.dat 16x2 1000/uV 0 0 0 10000 0 I\nr.dat 16 10/mmHg 0 0 0 0 0 ABP\n",
        &[1000, 2000, 7, 3000, 4000, 8],
    );
    assert_eq!((framed.sampling_rate_hz, framed.leads.len()), (500.0, 1));
    assert_eq!(framed.leads[0].samples_mv, [0.001, 0.002, 0.003, 0.004]);
    assert_eq!(flag_codes(&framed), ["signal_left_out"]);
    // The second signal lies one frame late in the file; what the file lacks at the end is invalid.
    let skewed = one(
        "r 2 250 3\nr.dat 16 1 0 0 0 6 0 I\nr.dat 16:1 1 0 0 0 15 0 II\n",
        &[1, 4, 2, 5, 3, 6],
    );
    assert_eq!(skewed.leads[0].samples_mv, [1.0, 2.0, 3.0]);
    assert_eq!(skewed.leads[1].samples_mv[..2], [5.0, 6.0]);
    assert!(skewed.leads[1].samples_mv[2].is_nan());
    // Bytes before the samples, as in MATLAB files; the length is the file's.
    let offset = one("r 1 250\nr.dat 16+4 2(1)/mV 0 0 0 0 0 I\n", &[9, 9, 3, 5, -32768]);
    assert_eq!(offset.leads[0].samples_mv[..2], [1.0, 2.0]);
    assert!(
        offset.leads[0].samples_mv[2].is_nan(),
        "the invalid code must not become a voltage"
    );
    assert_eq!(flag_codes(&offset), ["length_from_file", "checksum_mismatch"]);
}

#[test]
fn what_the_specification_fixes_counts_as_given_and_is_flagged() {
    let bare = one("r 1\r\n# Jane Doe 1970\r\nr.dat 16\r\n", &[200, -200]);
    assert_eq!(
        (bare.sampling_rate_hz, &bare.leads[0].samples_mv),
        (250.0, &vec![1.0, -1.0])
    );
    let mut codes = flag_codes(&bare);
    codes.sort_unstable();
    assert_eq!(
        codes,
        [
            "lead_name_unknown",
            "length_from_file",
            "rate_from_specification",
            "uncalibrated",
            "unit_from_specification"
        ]
    );
    assert!(
        !format!("{bare:?}").contains("Jane"),
        "comments of a header name people"
    );
    let stated = Hints {
        sampling_rate_hz: Some(500.0),
        ..Hints::default()
    };
    let files: [(&str, &[u8]); 2] = [("r.hea", b"r 1\nr.dat 16 100/mV 0 0 0 0 0 V1\n"), ("r.dat", &[1, 0])];
    assert_eq!(recording(read_files(&files, &stated)).sampling_rate_hz, 500.0);
}

#[test]
fn a_wrong_checksum_is_flagged_and_names_its_signal() {
    let damaged = one("r 1 250 2\nr.dat 16 100/mV 0 0 0 4 0 V1\n", &[1, 2]);
    assert_eq!(flag_codes(&damaged), ["checksum_mismatch"]);
    assert!(damaged.flags[0].detail.contains("V1"), "{}", damaged.flags[0].detail);
}

#[test]
fn segments_of_a_variable_layout_are_mapped_by_name_and_gaps_are_invalid() {
    let files: [(&str, &[u8]); 6] = [
        ("m.hea", b"m/5 2 250 7\nlay 0\na 2\n~ 1\nb 2\na 2\n"),
        (
            "lay.hea",
            b"lay 2 250 0\n~ 0 100/mV 0 0 0 0 0 I\n~ 0 100/mV 0 0 0 0 0 II\n",
        ),
        ("a.hea", b"a 1 250 2\na.dat 16 100/mV 0 0 0 3 0 II\n"),
        ("a.dat", &[1, 0, 2, 0]),
        (
            "b.hea",
            b"b 2 250 2\nb.dat 16 10/mV 0 0 0 8 0 II\nb.dat 16 10(1)/mV 0 0 0 10 0 I\n",
        ),
        ("b.dat", &[3, 0, 4, 0, 5, 0, 6, 0]),
    ];
    let whole = recording(read_files(&files, &Hints::default()));
    let nan = f32::NAN;
    let expected = [
        [nan, nan, nan, 0.3, 0.5, nan, nan],
        [0.01, 0.02, nan, 0.3, 0.5, 0.01, 0.02],
    ];
    assert_eq!((whole.name.as_str(), whole.leads.len()), ("m", 2));
    for (lead, expected) in whole.leads.iter().zip(expected) {
        let got: Vec<_> = lead.samples_mv.iter().map(|v| v.to_bits()).collect();
        assert_eq!(got, expected.map(f32::to_bits), "{}", lead.name);
    }
    assert_eq!(whole.flags, []);
    let part = Hints {
        record: Some("b".to_owned()),
        ..Hints::default()
    };
    assert_eq!(recording(read_files(&files, &part)).leads[0].samples_mv, [0.3, 0.5]);
}

#[test]
fn annotation_times_follow_the_recordings_rate() {
    let note = einthoven_ecg::annotation::encode(&[
        einthoven_ecg::annotation::Annotation {
            code: einthoven_ecg::annotation::code::COMMENT,
            aux: b"## time resolution: 1000".to_vec(),
            ..Default::default()
        },
        einthoven_ecg::annotation::Annotation {
            sample: 10,
            code: 1,
            ..Default::default()
        },
    ])
    .unwrap();
    let header: &[u8] = b"r 1 250 1\nr.dat 16x2 100/mV 0 0 0 3 0 V1\n";
    let beats = |atr: &[u8]| {
        let files = [("r.hea", header), ("r.dat", &[1_u8, 0, 2, 0] as &[u8]), ("r.atr", atr)];
        read_files(&files, &Hints::default()).unwrap().annotations.unwrap()
    };
    // 10 ticks of 1 ms are sample 5 at 500 Hz; 10 frames without a note are sample 20.
    assert_eq!(beats(&note).iter().map(|beat| beat.sample).collect::<Vec<_>>(), [5]);
    assert_eq!(beats(&[10, 4, 0, 0])[0].sample, 20);
}

/// Every sample record of the `wfdb` package must read as that package reads it.
#[test]
fn sample_records_read_as_the_reference_package_reads_them() {
    let Some(folder) = data("wfdb-samples") else { return };
    let table = String::from_utf8(fixture("reference.tsv")).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split('\t').collect()).collect();
    let mut compared = 0;
    for group in rows.chunk_by(|a, b| a[0] == b[0]) {
        let record = folder.join(group[0][0]);
        let files = load(record.parent().unwrap());
        let files: Vec<_> = files.iter().map(|(name, bytes)| NamedFile { name, bytes }).collect();
        let name = record.file_name().unwrap().to_str().unwrap().to_owned();
        let hints = Hints {
            record: Some(name),
            ..Hints::default()
        };
        let recording = match read(&files, &hints, &Limits::default()) {
            Ok(reading) => recording(Ok(reading)),
            Err(error) => {
                assert_eq!(error.code(), "no_ecg_lead", "{}: {error}", group[0][0]);
                continue;
            }
        };
        assert!(
            !flag_codes(&recording).contains(&"checksum_mismatch"),
            "{}: {:?}",
            group[0][0],
            recording.flags
        );
        let mut rest: Vec<_> = group.iter().collect();
        for lead in &recording.leads {
            let Some(at) = rest.iter().position(|row| row[1] == lead.name) else {
                panic!("{}: the reference has no lead {}", group[0][0], lead.name);
            };
            let row = rest.remove(at);
            let values = || lead.samples_mv.iter().filter(|v| !v.is_nan()).map(|v| f64::from(*v));
            let (sum, squares) = (values().sum::<f64>(), values().map(|v| v * v).sum::<f64>());
            let (want_sum, want_squares): (f64, f64) = (row[4].parse().unwrap(), row[5].parse().unwrap());
            assert_eq!(lead.samples_mv.len().to_string(), row[2], "{row:?}");
            assert_eq!(
                (lead.samples_mv.len() - values().count()).to_string(),
                row[3],
                "{row:?}"
            );
            assert!(
                (squares - want_squares).abs() <= 1e-6 * want_squares.max(1e-9),
                "{row:?} {squares}"
            );
            // A sum near zero is known no better than the rounding of its terms.
            let rounding = 1e-7 * (want_squares * values().count() as f64).sqrt();
            assert!(
                (sum - want_sum).abs() <= 1e-6 * want_sum.abs() + rounding + 1e-9,
                "{row:?} {sum}"
            );
            compared += 1;
        }
    }
    assert!(compared > 120, "{compared} leads compared");
}

fn load(folder: &Path) -> Vec<(String, Vec<u8>)> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| {
            (
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                std::fs::read(&path).unwrap(),
            )
        })
        .collect()
}
