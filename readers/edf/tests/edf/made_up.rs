//! Files written by the test, each with one thing to get right.

use crate::page::{Page, Signal, signal};
use crate::sink::{read, read_one};
use einthoven_plugin_sdk::{Code, ReadHints};

fn hints(sampling_rate_hz: Option<f64>, millivolts_per_unit: Option<f64>) -> ReadHints {
    ReadHints {
        sampling_rate_hz,
        millivolts_per_unit,
        record: None,
    }
}

/// Three data records of four samples, half a second each: 8 Hz.
fn lead(label: &str, dimension: &str) -> Signal {
    signal(label, dimension, 4, (0..12).map(|k| 1000 * k - 3000).collect())
}

fn page() -> Page {
    Page::new("0.5", vec![lead("II", "mV")])
}

/// The failure's words, which must name the file and every one of `parts`.
fn refused(bytes: &[u8], hints: &ReadHints, parts: &[&str]) {
    let failure = read(&[("r.edf", bytes)], hints).unwrap_err();
    assert_eq!(failure.code, Code::InvalidArgument);
    for part in ["r.edf"].iter().chain(parts) {
        assert!(failure.message.contains(part), "\"{part}\" is not in: {failure}");
    }
    assert!(!failure.message.contains("Haagse"), "names a person: {failure}");
}

#[test]
fn samples_become_millivolts_in_any_unit_of_voltage() {
    let millivolts: Vec<f32> = (0..12).map(|k| k as f32 - 3.0).collect();
    for (dimension, factor) in [
        (&b"mV"[..], 1.0),
        (b"uV", 1e-3),
        (b"\xb5V", 1e-3),
        ("\u{3bc}V".as_bytes(), 1e-3),
        (b"\xe6V", 1e-3),
        (b"V", 1e3),
        (b"nV", 1e-6),
        (b"MV", 1.0),
    ] {
        let mut page = page();
        page.signals[0].dimension = dimension.to_vec();
        let got = read_one(&page.bytes()).unwrap();
        assert_eq!((got.rate, got.record.as_str()), (8.0, "r"));
        for (sample, expected) in got.leads[0].samples_mv.iter().zip(&millivolts) {
            assert!(
                (sample - expected * factor).abs() <= 1e-6 * factor,
                "{sample} for {expected} x {factor}"
            );
        }
        let (low, high) = got.leads[0].rails_mv.unwrap();
        assert!((low / factor + 30.0).abs() < 1e-4 && (high / factor - 30.0).abs() < 1e-4);
    }
}

#[test]
fn a_scale_may_be_upside_down_and_off_centre() {
    let mut page = page();
    page.signals[0].range = ["10", "-2", "-2048", "2047"].map(str::to_owned);
    page.signals[0].samples = vec![-2048, 2047, 0, 1, -2048, 2047, 0, 1, -2048, 2047, 0, 1];
    let got = read_one(&page.bytes()).unwrap();
    assert_eq!(got.leads[0].samples_mv[..2], [10.0, -2.0]);
    assert!((got.leads[0].samples_mv[2] - 3.998_535).abs() < 1e-5);
    assert_eq!(got.leads[0].rails_mv, Some((-2.0, 10.0)));
}

#[test]
fn a_signal_without_a_scale_is_refused_by_name() {
    for (at, value, word) in [
        (0, "30", "physical"),
        (1, "-30", "physical"),
        (2, "30000", "digital"),
        (3, "-30000.0", "digital"),
        (0, "", "physical"),
        (1, "Haagse", "physical"),
        (3, "12.5", "digital"),
        (2, "nan", "digital"),
    ] {
        let mut page = page();
        page.signals[0].range[at] = value.to_owned();
        refused(&page.bytes(), &hints(None, None), &["signal 0 \"II\"", word]);
    }
    // A signal that is left out anyway may be as it likes.
    let mut page = Page::new("0.5", vec![lead("II", "mV"), lead("SpO2", "%")]);
    page.signals[1].range = ["", "", "", ""].map(str::to_owned);
    assert_eq!(read_one(&page.bytes()).unwrap().names(), ["II"]);
}

#[test]
fn sloppy_headers_are_read() {
    let mut page = page();
    page.version = *b"0\0\0\0\0\0\0\0";
    page.records = "  3".to_owned();
    page.duration = "0,5\0\0".to_owned();
    page.signals[0].range = ["-30,0\0x", " +30", "-3E4", "30000.00"].map(str::to_owned);
    let mut bytes = page.bytes();
    bytes[184..192].fill(b' ');
    let got = read_one(&bytes).unwrap();
    assert_eq!((got.rate, got.leads[0].samples_mv[0]), (8.0, -3.0));
    assert!(got.flags.is_empty(), "{:?}", got.flags);
}

#[test]
fn a_missing_unit_is_asked_for() {
    let bytes = Page::new("0.5", vec![lead("II", ""), lead("SpO2", "%")]).bytes();
    refused(
        &bytes,
        &hints(None, None),
        &["signal 0 \"II\"", "physical dimension", "`unit`"],
    );
    let got = read(&[("r.edf", &bytes)], &hints(None, Some(1e-3))).unwrap();
    assert_eq!((got.names(), got.leads[0].samples_mv[0]), (vec!["II"], -0.003));
    // Beside leads that have a unit, one without is left out.
    let bytes = Page::new("0.5", vec![lead("II", "mV"), lead("V1", "")]).bytes();
    let got = read_one(&bytes).unwrap();
    assert_eq!((got.names(), got.codes()), (vec!["II"], vec!["signal_left_out"]));
}

#[test]
fn what_is_stated_must_agree_with_the_file() {
    let bytes = page().bytes();
    read(&[("r.edf", &bytes)], &hints(Some(8.0005), Some(1.0))).unwrap();
    refused(&bytes, &hints(Some(8.1), None), &["sampling rate", "8 Hz", "8.1 Hz"]);
    refused(&bytes, &hints(None, Some(1e-3)), &["unit mV", "0.001"]);
    let mut page = page();
    page.duration = "0".to_owned();
    let bytes = page.bytes();
    refused(&bytes, &hints(None, None), &["duration of a data record", "`rate`"]);
    assert_eq!(
        read(&[("r.edf", &bytes)], &hints(Some(500.0), None)).unwrap().rate,
        500.0
    );
}

#[test]
fn leads_have_one_rate_and_the_ecg_goes_first() {
    let slow = |label: &str, dimension: &str| signal(label, dimension, 2, vec![0; 6]);
    let fast = |label: &str, dimension: &str| signal(label, dimension, 16, vec![0; 48]);
    for (signals, kept, rate) in [
        // A slower voltage without a telling name.
        (
            vec![lead("ch1", "mV"), slow("ch2", "mV"), lead("ch3", "uV")],
            vec!["ch1", "ch3"],
            8.0,
        ),
        // The ECG, though something else is faster.
        (
            vec![fast("C3-A2", "uV"), lead("ECG", "mV"), lead("ch3", "mV")],
            vec!["ECG"],
            8.0,
        ),
        (vec![fast("EMG1", "uV"), lead("ch1", "mV")], vec!["ch1"], 8.0),
        // Two rates of ECG.
        (
            vec![lead("I", "mV"), fast("V1", "mV"), fast("V2", "mV")],
            vec!["V1", "V2"],
            32.0,
        ),
    ] {
        let left_out = signals.len() - kept.len();
        let got = read_one(&Page::new("0.5", signals).bytes()).unwrap();
        assert_eq!((got.names(), got.rate), (kept, rate));
        assert_eq!(got.codes(), vec!["signal_left_out"; left_out]);
    }
    let bytes = Page::new("0.5", vec![lead("SpO2", "%"), lead("EEG Fpz-Cz", "uV")]).bytes();
    refused(&bytes, &hints(None, None), &["SpO2 [%]", "EEG Fpz-Cz [uV]"]);
}

#[test]
fn signals_of_other_rates_do_not_shift_the_leads() {
    let other = signal("ACC", "g", 3, (0..9).collect());
    let got = read_one(&Page::new("0.5", vec![other, lead("II", "mV")]).bytes()).unwrap();
    let expected: Vec<f32> = (0..12).map(|k| k as f32 - 3.0).collect();
    for (sample, expected) in got.leads[0].samples_mv.iter().zip(expected) {
        assert!((sample - expected).abs() < 1e-6);
    }
}

#[test]
fn the_files_own_length_counts() {
    let whole = page().bytes();
    let unclosed = |records: &str| {
        let mut page = page();
        page.records = records.to_owned();
        page.bytes()
    };
    for (bytes, samples, codes) in [
        (whole.clone(), 12, vec![]),
        (whole[..whole.len() - 1].to_vec(), 8, vec!["truncated"]),
        (whole[..whole.len() - 8].to_vec(), 8, vec!["truncated"]),
        (unclosed("2"), 8, vec!["longer_than_declared"]),
        ([&whole[..], b"x"].concat(), 12, vec!["longer_than_declared"]),
        (unclosed("-1"), 12, vec!["length_from_file"]),
        (unclosed("0"), 12, vec!["length_from_file"]),
        (
            [&unclosed("-1")[..], b"x"].concat(),
            12,
            vec!["length_from_file", "truncated"],
        ),
        (unclosed("99999999"), 12, vec!["truncated"]),
    ] {
        let got = read_one(&bytes).unwrap();
        assert_eq!((got.leads[0].samples_mv.len(), got.codes()), (samples, codes));
    }
    refused(&whole[..512 + 7], &hints(None, None), &["first data record"]);
    refused(&whole[..511], &hints(None, None), &["ends before the 1 signals"]);
    refused(&whole[..255], &hints(None, None), &["header"]);
    for records in ["-2", "", "three", "1.5"] {
        refused(&unclosed(records), &hints(None, None), &["number of data records"]);
    }
}

#[test]
fn a_damaged_header_is_refused_by_field() {
    for (range, value, part) in [
        (252..256, &b"    "[..], "number of signals"),
        (252..256, b"0   ", "number of signals"),
        (252..256, b"Harr", "number of signals"),
        (252..256, b"2   ", "number of header bytes"),
        (184..192, b"768     ", "number of header bytes"),
        (244..252, b"-1      ", "duration of a data record"),
        (244..252, b"        ", "duration of a data record"),
        (244..252, b"1e-320  ", "duration of a data record"),
        (472..480, b"4.5     ", "samples per data record of signal 0"),
        (472..480, b"-4      ", "samples per data record of signal 0"),
        (472..480, b"99999999", "first data record"),
        (472..480, b"0       ", "none of its signals"),
    ] {
        let mut bytes = page().bytes();
        bytes[range].copy_from_slice(value);
        refused(&bytes, &hints(None, None), &[part]);
    }
}

#[test]
fn gaps_of_a_discontinuous_file_are_invalid_samples() {
    // Records of half a second at 0, 0.5 (as good as) and 2 s: one second is missing.
    let got = read_one(&page().at(&["+0", "+0.4999", "+2"]).bytes()).unwrap();
    let samples = &got.leads[0].samples_mv;
    assert_eq!(samples.len(), 20);
    assert_eq!(samples[7], 4.0);
    assert!(samples[8..16].iter().all(|sample| sample.is_nan()), "{samples:?}");
    assert_eq!(samples[16], 5.0);
    assert_eq!(got.codes(), ["gaps"]);
    assert!(got.flags[0].1.contains("1.0 s"), "{:?}", got.flags);

    // A file may start at any time, and need not have a gap.
    let got = read_one(&page().at(&["+86399.5", "+86400", "+86400.5"]).bytes()).unwrap();
    assert_eq!((got.leads[0].samples_mv.len(), got.codes()), (12, vec![]));
    // In a file that says it is continuous the times of records mean nothing.
    let mut continuous = page().at(&["+0", "+7", "+3"]);
    continuous.reserved = "EDF+C".to_owned();
    assert_eq!(read_one(&continuous.bytes()).unwrap().leads[0].samples_mv.len(), 12);
    // BDF+D, too.
    let mut bdf = page().at(&["+0", "+1", "+1.5"]);
    (bdf.version, bdf.reserved) = (*b"\xffBIOSEMI", "BDF+D".to_owned());
    assert_eq!(read_one(&bdf.bytes()).unwrap().leads[0].samples_mv.len(), 16);
}

#[test]
fn gaps_that_cannot_be_are_refused() {
    for (onsets, part) in [
        (["+0", "+0.1", "+2"], "data record 1"),
        (["+0", "+5", "+4"], "data record 2"),
        (["+0", "+0.5", "+9999999"], "split the recording"),
        (["+0", "+1e308", "+2"], "split the recording"),
        (["-1e308", "+1e308", "+2"], "split the recording"),
        (["+0", "0.5", "+1"], "data record 1"),
        (["", "+0.5", "+1"], "data record 0"),
        (["+0", "+0.5", "+one"], "data record 2"),
    ] {
        refused(&page().at(&onsets).bytes(), &hints(None, None), &[part]);
    }
    let mut page = page();
    page.reserved = "EDF+D".to_owned();
    refused(&page.bytes(), &hints(None, None), &["annotations"]);
}

#[test]
fn bdf_samples_have_24_bits() {
    let mut page = page();
    page.version = *b"\xffBIOSEMI";
    page.reserved = "24BIT".to_owned();
    page.signals[0].range = ["-8388608", "8388607", "-8388608", "8388607"].map(str::to_owned);
    page.signals[0].samples = vec![-8_388_608, 8_388_607, -1, 0, 1, 70_000, -70_000, 256, 255, 65_536, 2, 3];
    let expected: Vec<f32> = page.signals[0].samples.iter().map(|sample| *sample as f32).collect();
    assert_eq!(read_one(&page.bytes()).unwrap().leads[0].samples_mv, expected);
}

#[test]
fn one_of_several_files_is_named() {
    let bytes = page().bytes();
    let files: [(&str, &[u8]); 3] = [("a.edf", &bytes), ("notes.txt", b"hello"), ("b.edf", &bytes)];
    let failure = read(&files, &ReadHints::default()).unwrap_err();
    assert!(
        failure.message.contains("a.edf, b.edf") && failure.message.contains("`record`"),
        "{failure}"
    );
    let named = |record: &str| ReadHints {
        record: Some(record.to_owned()),
        ..ReadHints::default()
    };
    assert_eq!(read(&files, &named("b")).unwrap().record, "b");
    assert_eq!(read(&files, &named("a.edf")).unwrap().record, "a");
    assert!(read(&files, &named("c")).is_err());
    assert_eq!(read(&files[..2], &ReadHints::default()).unwrap().record, "a");
}

#[test]
fn nothing_that_identifies_a_person_is_handed_on() {
    let page = Page::new("0.5", vec![lead("II", "mV"), lead("SpO2", "%")]).at(&["+0", "+3", "+4"]);
    let got = format!("{:?}", read_one(&page.bytes()).unwrap());
    for word in ["Haagse", "MCH-", "1951", "2002", "02.03", "dizzy", "electrode"] {
        assert!(!got.contains(word), "{word} in {got}");
    }
}
