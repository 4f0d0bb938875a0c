//! Input that is no recording, or pretends to be a huge one: a named refusal, quickly, and little memory.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{data, fixture, read_files, read_text};
use einthoven_ecg::readers::{Hints, Limits, NamedFile, ReadError, read};
use std::fmt::Write;
use std::time::{Duration, Instant};

fn refusal(files: &[(&str, &[u8])]) -> ReadError {
    match read_files(files, &Hints::default()) {
        Err(error) => error,
        Ok(reading) => panic!("read {reading:?}"),
    }
}

fn record(header: &str) -> ReadError {
    let start = Instant::now();
    let error = refusal(&[("r.hea", header.as_bytes()), ("r.dat", &[1; 60])]);
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{header} took {:?}",
        start.elapsed()
    );
    error
}

#[test]
fn what_is_no_recording_is_refused_with_a_reason() {
    let control = [0xff_u8, 0, 1, 2].repeat(100);
    let cases: [(&str, &[u8], &str); 12] = [
        ("a.csv", b"", "empty_file"),
        ("a.csv", b" \r\n\n", "empty_file"),
        ("a.hea", b"\n \n", "empty_file"),
        (
            "a.txt",
            b"Dear doctor,\nplease find attached nothing, 12 times.\n",
            "not_an_ecg",
        ),
        ("a.bin", &control, "not_an_ecg"),
        ("100.dat", &control, "missing_file"),
        ("100.atr", &control, "missing_file"),
        ("a.pdf", b"%PDF-1.7 \x00", "unsupported"),
        ("a.xml", b"<?xml version=\"1.0\"?><a/>", "unsupported"),
        ("a.edf", b"0       X X X X", "unsupported"),
        ("a.hea", b"# only a comment\n", "malformed"),
        ("../../etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n", "not_an_ecg"),
    ];
    for (name, bytes, code) in cases {
        let error = refusal(&[(name, bytes)]);
        assert_eq!(error.code(), code, "{name}: {error}");
        assert!(
            !error.to_string().contains("etc/"),
            "only the last part of a name is used: {error}"
        );
    }
    assert_eq!(
        read(&[], &Hints::default(), &Limits::default()).unwrap_err().code(),
        "empty_file"
    );
    for files in [
        vec![("100.dat", &control[..])],
        vec![("100.dat", &control), ("100.atr", &control), ("READ.ME", b"hi")],
    ] {
        let error = refusal(&files).to_string();
        assert!(error.contains("100.hea"), "{error}");
    }
}

#[test]
fn a_header_may_only_name_files_beside_itself() {
    for name in [
        "../../etc/passwd",
        "/etc/passwd",
        "..\\x.dat",
        "C:x.dat",
        "..",
        "-",
        "a/b.dat",
    ] {
        let error = record(&format!("r 1 250 10\n{name} 16 200 0 0 0 0 0 II\n"));
        assert_eq!(error.code(), "unsafe_file_name", "{name}");
        assert!(error.to_string().contains("line 2"), "{error}");
        let error = record(&format!("r/1 1 250 10\n{name} 10\n"));
        assert_eq!(error.code(), "unsafe_file_name", "{name} as a segment");
    }
    let error = record("r 1 250 10\nabsent.dat 16 200 0 0 0 0 0 II\n");
    assert!(
        error.code() == "missing_file" && error.to_string().contains("absent.dat"),
        "{error}"
    );
    let hints = Hints {
        record: Some("../r".to_owned()),
        ..Hints::default()
    };
    let error = read_files(&[("r.hea", b"r 1 250 1\nr.dat 16\n")], &hints).unwrap_err();
    assert_eq!(error.code(), "unsafe_file_name");
}

#[test]
fn declared_sizes_are_checked_before_memory_is_taken() {
    for (header, code) in [
        ("r 1 250 2147483648\nr.dat 16\n", "too_large"),
        ("r 1 250 18446744073709551615\nr.dat 16\n", "too_large"),
        ("r 1 250 99999999999999999999\nr.dat 16\n", "malformed"),
        ("r 1 250 -5\nr.dat 16\n", "malformed"),
        ("r 4294967295 250 10\nr.dat 16\n", "too_large"),
        ("r 99999999999 250 10\nr.dat 16\n", "malformed"),
        ("r -1 250 10\nr.dat 16\n", "malformed"),
        ("r 0 250 10\n", "malformed"),
        ("r 2 250 10\nr.dat 16\n", "malformed"),
        ("r 1 250 10\nr.dat 16x4294967295\n", "too_large"),
        ("r 1 250 10\nr.dat 16x0\n", "too_large"),
        ("r 1 250 200000000\nr.dat 16x65536\n", "too_large"),
        ("r 1 250 10\nr.dat 16x60000\n", "truncated"),
        ("r 1 250 10\nr.dat 16+99999999999\n", "truncated"),
        ("r 1 250 10\nr.dat 7\n", "unsupported"),
        ("r 1 nan 10\nr.dat 16\n", "malformed"),
        ("r 1 -250 10\nr.dat 16\n", "malformed"),
        ("r 1 0 10\nr.dat 16\n", "malformed"),
        ("r 1 250 10\nr.dat 16 1e999\n", "malformed"),
        ("r 1 250 10\nr.dat 516\n", "malformed"),
        (
            "r/3 1 250\n~ 9223372036854775807\n~ 9223372036854775807\nr 2\n",
            "malformed",
        ),
        ("r/2 1 250\ns 18446744073709551615\ns 2\n", "missing_file"),
        ("r/1 1 250\n~ 10\n", "malformed"),
        ("r 1 250 10\nr.dat 16 10/mmHg 0 0 0 0 0 ABP\n", "no_ecg_lead"),
    ] {
        let error = record(header);
        assert_eq!(error.code(), code, "{header}: {error}");
    }
}

#[test]
fn a_cut_signal_file_is_refused_with_both_lengths() {
    let whole = fixture("100s.dat");
    let files: [(&str, &[u8]); 2] = [("100s.hea", &fixture("100s.hea")), ("100s.dat", &whole[..3000])];
    let error = refusal(&files);
    assert_eq!(error.code(), "truncated");
    let said = error.to_string();
    assert!(
        said.contains("21600") && said.contains("1000") && said.contains("100s.dat"),
        "{said}"
    );
    // FLAC tells its length only while it is decoded.
    let header = "r 1 360 1001\nformats.d516 516 200/mV 0 0 0 0 0 II\n";
    let flac = fixture("formats.d516");
    for cut in [10, 60, flac.len() / 2, flac.len() - 1] {
        let error = refusal(&[("r.hea", header.as_bytes()), ("formats.d516", &flac[..cut])]);
        assert!(["truncated", "malformed"].contains(&error.code()), "{cut}: {error}");
    }
}

#[test]
fn several_recordings_are_named_and_one_can_be_chosen() {
    let files: [(&str, &[u8]); 4] = [
        ("dir/a.hea", b"a 1 250 1\na.dat 16 200/mV 0 0 0 1 0 II\n"),
        ("dir/a.dat", &[1, 0]),
        ("b.hea", b"b 1 250 1\nb.dat 16\n"),
        ("._a.hea", b"left behind by a file manager"),
    ];
    let error = refusal(&files);
    assert_eq!((error.code(), error.field()), ("several_recordings", Some("record")));
    assert!(
        error.to_string().contains("a, b") && error.to_string().contains("--record"),
        "{error}"
    );
    let chosen = |record: &str| {
        let hints = Hints {
            record: Some(record.to_owned()),
            ..Hints::default()
        };
        read_files(&files, &hints)
    };
    assert!(chosen("a").is_ok());
    assert_eq!(chosen("c").unwrap_err().code(), "no_such_record");
    let twice: [(&str, &[u8]); 2] = [("x/a.csv", b"1\n2\n"), ("y/b.csv", b"1\n2\n")];
    assert_eq!(refusal(&twice).code(), "several_recordings");
}

#[test]
fn wide_and_endless_tables_are_refused_at_once() {
    let million = vec!["0.1"; 1_000_000].join(",");
    let long = "x".repeat(50_000_000);
    let cases = [
        (million.clone(), "too_large"),
        (million.replace(',', ";"), "too_large"),
        (million.replace(',', " "), "too_large"),
        (vec!["1"; 100].join(","), "too_large"),
        (long, "too_large"),
    ];
    for (text, code) in &cases {
        let start = Instant::now();
        let error = read_text(text, &Hints::default()).unwrap_err();
        assert_eq!(error.code(), *code, "{error}");
        assert!(error.to_string().len() < 500, "a refusal is short");
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    }
    let files = [NamedFile {
        name: "t.csv",
        bytes: b"II (mV)\n1\n2\n3\n4\n5\n",
    }];
    let hints = Hints {
        sampling_rate_hz: Some(250.0),
        ..Hints::default()
    };
    let limits = Limits {
        max_samples: 4,
        max_leads: 4,
    };
    assert_eq!(read(&files, &hints, &limits).unwrap_err().code(), "too_large");
}

/// Thousands of lines or segments that each look harmless must not cost their product.
#[test]
fn no_input_takes_time_beyond_its_size() {
    let mut segments = String::from("r/100000 1 250 100000\n");
    (0..100_000).for_each(|_| segments.push_str("s 1\n"));
    let mut wide = String::from("s 1024 250 1\n");
    for i in 0..1024 {
        writeln!(wide, "s{i}.dat 16x1000 1/mmHg 0 0 0 0 0 P").unwrap();
    }
    let wide = wide.replacen("s0.dat 16x1000 1/mmHg", "s0.dat 16 1/mV", 1);
    let files: [(&str, &[u8]); 3] = [
        ("r.hea", segments.as_bytes()),
        ("s.hea", wide.as_bytes()),
        ("s0.dat", &[1, 0]),
    ];
    let start = Instant::now();
    let reading = read_files(&files, &Hints::default()).unwrap();
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    let einthoven_ecg::readers::Input::Recording(recording) = reading.input else {
        panic!()
    };
    assert_eq!(recording.len(), 100_000);
    assert!(recording.flags.len() < 2000);
}

#[test]
fn recordings_of_other_formats_are_named() {
    let Some(folder) = data("formats") else { return };
    for (file, said) in [
        ("dicom/waveform_ecg.dcm", "DICOM"),
        ("edf/0000050.ECG.edf", "EDF"),
        ("scp/Example.scp", "SCP"),
        ("aecg/example.xml", "XML"),
        ("muse/example1.xml", "XML"),
        ("alivecor/1_lead.atc", "AliveCor"),
    ] {
        let error = refusal(&[(file, &std::fs::read(folder.join(file)).unwrap())]);
        assert_eq!(error.code(), "unsupported", "{file}: {error}");
        assert!(error.to_string().contains(said), "{error}");
    }
}
