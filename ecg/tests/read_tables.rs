//! Tables of text as people have them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{data, fixture, flag_codes, read_files, read_text, recording};
use einthoven_ecg::beat::BeatClass;
use einthoven_ecg::readers::{Hints, Input, Unit};
use einthoven_ecg::recording::{Recording, StandardLead};

fn rate(hz: f64) -> Hints {
    Hints {
        sampling_rate_hz: Some(hz),
        ..Hints::default()
    }
}

fn both(hz: f64, unit: Unit) -> Hints {
    Hints {
        unit: Some(unit),
        ..rate(hz)
    }
}

fn table(text: &str) -> Recording {
    recording(read_text(text, &Hints::default()))
}

fn names(recording: &Recording) -> Vec<&str> {
    recording.leads.iter().map(|lead| lead.name.as_str()).collect()
}

#[test]
fn an_rdsamp_export_reads_like_the_record_it_came_from() {
    let csv = recording(read_files(&[("100.csv", &fixture("rdsamp.csv"))], &Hints::default()));
    assert_eq!(
        (csv.format.as_ref(), csv.sampling_rate_hz, csv.len()),
        ("csv-rdsamp", 360.0, 1800)
    );
    assert_eq!(csv.flags, []);
    let record = [("100s.hea", fixture("100s.hea")), ("100s.dat", fixture("100s.dat"))];
    let record: Vec<(&str, &[u8])> = record.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    let record = recording(read_files(&record, &Hints::default()));
    for (printed, lead) in csv.leads.iter().zip(&record.leads) {
        assert_eq!(printed.standard, lead.standard);
        let worst = printed
            .samples_mv
            .iter()
            .zip(&lead.samples_mv)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(worst < 1e-6, "{}: {worst}", lead.name);
    }
}

/// One recording at 250 Hz with the samples 1, -2.5 and 0.25 mV in lead II, written in many ways.
#[test]
fn the_same_table_is_read_however_it_is_written() {
    let rows =
        |row: &dyn Fn(usize, f64) -> String| -> String { (0..40).map(|i| row(i, [1.0, -2.5, 0.25][i % 3])).collect() };
    let comma = |value: f64| value.to_string().replace('.', ",");
    let cases = [
        format!(
            "time [s],II [mV]\n{}",
            rows(&|i, v| format!("{:.3},{v}\n", i as f64 / 250.0))
        ),
        format!(
            "Time (ms);II (mV)\r\n{}",
            rows(&|i, v| format!("{};{}\r\n", i * 4, comma(v)))
        ),
        format!(
            "t\tII_uV\n{}",
            rows(&|i, v| format!("{}\t{}\n", i as f64 / 250.0, v * 1000.0))
        ),
        format!(
            "\u{feff}time,II\ns,\u{b5}V\n{}",
            rows(&|i, v| format!("{},{}\n", i as f64 / 250.0, v * 1000.0))
        ),
        format!(
            ",time,II (mV)\n{}",
            rows(&|i, v| format!("{i},{},{v}\n", i as f64 / 250.0))
        ),
        format!(
            "'Elapsed time','II'\n'hh:mm:ss.mmm','mV'\n{}",
            rows(&|i, v| format!("'0:00.{:03}',{v}\n", i * 4))
        ),
        format!(
            "'Elapsed time','II'\n'hh:mm:ss.mmm','mV'\n{}",
            rows(&|i, v| format!("'[23:59:{:06.3} 01/02/2003]',{v}\n", 59.9 + i as f64 / 250.0))
                .replace("[23:59:60.", "[00:00:00.")
        ),
        format!(
            "timestamp,II (mV)\n{}",
            rows(&|i, v| format!("2024-01-01T10:00:00.{:03}Z,{v}\n", i * 4))
        ),
        format!(
            "# II at 250 Hz\ntime II(mV)\n{}",
            rows(&|i, v| format!("  {:.3}   {v}\n", i as f64 / 250.0))
        ),
    ];
    for text in cases {
        let got = table(&text);
        let start = &text[..60];
        assert_eq!((got.sampling_rate_hz, got.len()), (250.0, 40), "{start}");
        assert_eq!(
            (names(&got), got.leads[0].standard),
            (vec!["II"], Some(StandardLead::II)),
            "{start}"
        );
        assert_eq!(got.leads[0].samples_mv[..3], [1.0, -2.5, 0.25], "{start}");
    }
}

#[test]
fn several_leads_and_other_columns_are_told_apart() {
    let body: String = (0..30).map(|i| format!("{i},0.{i},{i},{},80,N\n", i * 10)).collect();
    let text = format!("sample,II (mV),V1 (mV),V5 (uV),SpO2 (%),label\n{body}");
    let got = recording(read_text(&text, &rate(500.0)));
    assert_eq!(names(&got), ["II", "V1", "V5"]);
    assert_eq!(got.leads[2].samples_mv[3], 0.03);
    assert_eq!(flag_codes(&got), ["signal_left_out", "signal_left_out"]);
}

#[test]
fn without_a_header_counts_and_times_are_told_from_leads() {
    let counted: String = (0..40).map(|i| format!("{i},{}\n", i * 7 % 5)).collect();
    let error = read_text(&counted, &both(0.0, Unit::Millivolt)).unwrap_err();
    assert_eq!((error.code(), error.field()), ("invalid_field", Some("sampling_rate")));
    let missing = Hints {
        unit: Some(Unit::Millivolt),
        ..Hints::default()
    };
    let error = read_text(&counted, &missing).unwrap_err();
    assert_eq!((error.code(), error.field()), ("missing_field", Some("sampling_rate")));
    let got = recording(read_text(&counted, &both(250.0, Unit::Millivolt)));
    assert_eq!((names(&got), got.sampling_rate_hz), (vec!["column 2"], 250.0));

    let timed: String = (0..40)
        .map(|i| format!("{:.3} {}\n", f64::from(i) / 360.0, i * 7 % 5))
        .collect();
    let got = recording(read_text(&timed, &missing));
    assert_eq!((names(&got), got.sampling_rate_hz.round()), (vec!["column 2"], 360.0));
    assert_eq!(flag_codes(&got), ["time_unit_inferred", "lead_name_unknown"]);
}

#[test]
fn what_is_neither_in_the_file_nor_stated_is_asked_for() {
    for (text, hints, field, flag) in [
        ("1\n2\n3\n", rate(250.0), "unit", "--unit"),
        ("II (mV)\n1\n2\n", Hints::default(), "sampling_rate", "--rate"),
        ("II,V1\n1,2\n3,4\n", rate(250.0), "unit", "--unit"),
    ] {
        let error = read_text(text, &hints).unwrap_err();
        assert_eq!((error.code(), error.field()), ("missing_field", Some(field)), "{text}");
        let said = error.to_string();
        assert!(
            said.contains("table.csv") && said.contains(flag) && said.contains("form field"),
            "{said}"
        );
    }
    let error = read_text("1\n2\n", &Hints::default()).unwrap_err().to_string();
    assert!(error.contains("unit") && error.contains("sampling rate"), "{error}");
}

#[test]
fn a_statement_that_contradicts_the_file_is_refused_and_rounding_is_not() {
    let body: String = (0..20).map(|i| format!("{:.3},{i}\n", f64::from(i) / 250.0)).collect();
    let text = format!("time (s),II (mV)\n{body}");
    let error = read_text(&text, &rate(360.0)).unwrap_err();
    assert_eq!((error.code(), error.field()), ("contradiction", Some("sampling_rate")));
    assert!(
        error.to_string().contains("250") && error.to_string().contains("360"),
        "{error}"
    );
    let unit = Hints {
        unit: Some(Unit::Microvolt),
        ..Hints::default()
    };
    assert_eq!(read_text(&text, &unit).unwrap_err().field(), Some("unit"));
    assert_eq!(
        recording(read_text(&text, &both(250.1, Unit::Millivolt))).sampling_rate_hz,
        250.0
    );
}

#[test]
fn a_gap_in_the_times_is_refused_with_its_line() {
    let body: String = (0..100)
        .map(|i| format!("{:.3},{i}\n", f64::from(i + i / 50 * 25) / 250.0))
        .collect();
    let error = read_text(&format!("time (s),II (mV)\n{body}"), &Hints::default()).unwrap_err();
    assert_eq!(error.code(), "malformed");
    assert!(error.to_string().contains("line "), "{error}");
}

#[test]
fn missing_values_become_invalid_samples_and_words_are_refused() {
    let got = recording(read_text(
        "II (mV)\n1\nNaN\ninf\n-inf\n\"\"\nnull\n1e39\n-2\n",
        &rate(250.0),
    ));
    let valid: Vec<_> = got.leads[0].samples_mv.iter().map(|v| !v.is_nan()).collect();
    assert_eq!(valid, [true, false, false, false, false, false, false, true]);
    for (text, line) in [
        ("II (mV)\n1\nnoise\n2\n", "line 3"),
        ("II (mV),V1 (mV)\n1,2\n3,4\n5\n", "line 4"),
    ] {
        let error = read_text(text, &rate(250.0)).unwrap_err();
        assert!(
            error.code() == "malformed" && error.to_string().contains(line),
            "{error}"
        );
    }
}

const ENGLISH: &str = "Name,Jane Q. Doe\nDate of Birth,\"2 Jan 1971\"\nRecorded Date,2024-01-02 03:04:05 +0100\n\
    Classification,Sinus Rhythm\nSymptoms,\nSoftware Version,1.90\nDevice,\"Watch6,7\"\nSample Rate,512.844 hertz\n\n\n\
    Lead,Lead I\nUnit,\u{b5}V\n\n-265.868\n12\n-3.5\n";
const GERMAN: &str = "Name,Jane Q. Doe\nGeburtsdatum,02.01.1971\nKlassifizierung,Sinusrhythmus\nSymptome,\n\
    Messrate,\"512,844 Hertz\"\n\n\nAbleitung,Ableitung I\nEinheit,\u{b5}V\n\n\"-265,868\"\n12\n\"-3,5\"\n";
const BARE_COMMAS: &str = "Nom,Jane Q. Doe\nDate de naissance,02/01/1971\nFr\u{e9}quence,512,844 hertz\n\n\
    D\u{e9}rivation,D\u{e9}rivation I\nUnit\u{e9},\u{b5}V\n\n-265,868\n12\n-3,5\n";
const SPANISH: &str = "Nombre;Jane Q. Doe\nFecha de nacimiento;02/01/1971\nFrecuencia de muestreo;512,844 hercios\n\n\
    Derivaci\u{f3}n;Derivaci\u{f3}n I\nUnidad;\u{b5}V\n\n-265,868\n12\n-3,5\n";

#[test]
fn apple_watch_exports_are_read_in_any_language_and_name_nobody() {
    for text in [ENGLISH, GERMAN, BARE_COMMAS, SPANISH] {
        let got = table(text);
        assert_eq!(
            (got.format.as_ref(), got.sampling_rate_hz),
            ("csv-apple-watch", 512.844),
            "{text}"
        );
        assert_eq!(got.leads.len(), 1, "{text}");
        assert_eq!(
            (got.leads[0].name.as_str(), got.leads[0].standard),
            ("I", Some(StandardLead::I)),
            "{text}"
        );
        assert_eq!(got.leads[0].samples_mv, [-0.265_868, 0.012, -0.0035], "{text}");
        let everything = format!("{got:?}");
        for secret in ["Jane", "Doe", "1971", "Watch6"] {
            assert!(!everything.contains(secret), "{secret} is kept: {everything}");
        }
    }
}

#[test]
fn rows_of_single_beats_are_taken_as_they_are() {
    let Input::BeatRows(rows) = read_files(&[("k.csv", &fixture("kaggle.csv"))], &Hints::default())
        .unwrap()
        .input
    else {
        panic!("rows of 187 values read as a recording");
    };
    assert_eq!((rows.name.as_str(), rows.rows.len()), ("k", 20));
    assert_eq!(rows.labels, Some(vec![BeatClass::N; 20]));
    assert_eq!(rows.flags[0].code, "origin_unknown");
    for row in &rows.rows {
        assert!(row.contains(&0.0) && row.contains(&1.0), "each beat spans 0 to 1");
    }
    let one = |cells: usize, cell: &str| read_text(&vec![cell; cells].join(","), &Hints::default());
    let Input::BeatRows(unlabelled) = one(187, "0.5").unwrap().input else {
        panic!()
    };
    assert_eq!((unlabelled.rows[0][186], unlabelled.labels), (0.5, None));
    assert_eq!(one(188, "0.5").unwrap_err().code(), "malformed", "a class of 0.5");
    assert_eq!(one(187, "nan").unwrap_err().code(), "malformed");
    let titled = format!(
        "{}\n{}\n",
        (0..188).map(|i| i.to_string()).collect::<Vec<_>>().join(","),
        vec!["1"; 188].join(",")
    );
    let Input::BeatRows(titled) = read_text(&titled, &Hints::default()).unwrap().input else {
        panic!()
    };
    assert_eq!(titled.labels, Some(vec![BeatClass::S]));
}

#[test]
fn the_kaggle_rows_are_read_whole() {
    let Some(folder) = data("kaggle") else { return };
    let bytes = std::fs::read(folder.join("mitbih_test_999N_1608Q.csv")).unwrap();
    let Input::BeatRows(rows) = read_files(&[("k.csv", &bytes)], &Hints::default()).unwrap().input else {
        panic!()
    };
    let labels = rows.labels.unwrap();
    let of = |class| labels.iter().filter(|label| **label == class).count();
    assert_eq!((rows.rows.len(), of(BeatClass::N), of(BeatClass::Q)), (2607, 999, 1608));
}

#[test]
fn real_exports_are_read_once_what_they_lack_is_stated() {
    let Some(folder) = data("formats") else { return };
    let load = |name: &str| std::fs::read(folder.join(name)).unwrap();
    for name in ["apple/ecg_2019-03-28.csv", "apple/ecg_2019-04-04_0.csv"] {
        let bytes = load(name);
        let error = read_files(&[(name, &bytes)], &Hints::default()).unwrap_err();
        assert_eq!((error.code(), error.field()), ("missing_field", Some("unit")));
        let error = read_files(
            &[(name, &bytes)],
            &Hints {
                unit: Some(Unit::Microvolt),
                ..Hints::default()
            },
        )
        .unwrap_err();
        assert_eq!((error.code(), error.field()), ("missing_field", Some("sampling_rate")));
        let got = recording(read_files(&[(name, &bytes)], &both(512.0, Unit::Microvolt)));
        assert_eq!((got.leads.len(), got.len()), (1, 15_314), "{name}");
        assert!(got.leads[0].samples_mv.iter().all(|mv| mv.abs() < 5.0), "{name}");
    }
    let bytes = load("text/contec-0000050.csv");
    let got = recording(read_files(&[("contec.csv", &bytes)], &both(500.0, Unit::Microvolt)));
    assert_eq!((got.leads.len(), got.len()), (6, 37_855));
    assert_eq!(got.leads[3].samples_mv[..2], [0.023, 0.032]);
    let bytes = load("text/biosppy-ecg.txt");
    let got = recording(read_files(
        &[("ecg.txt", &bytes)],
        &Hints {
            unit: Some(Unit::Millivolt),
            ..Hints::default()
        },
    ));
    assert_eq!(
        (got.format.as_ref(), got.sampling_rate_hz, got.len()),
        ("text-biosppy", 1000.0, 15_000)
    );
}
