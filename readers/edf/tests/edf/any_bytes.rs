//! No bytes make the reader panic, loop or ask for much memory; the sink checks the promises of an answer.

use crate::page::{Page, signal};
use crate::sink::read;
use einthoven_plugin_sdk::ReadHints;
use proptest::prelude::*;

fn page(discontinuous: bool) -> Vec<u8> {
    let mut page = Page::new(
        "0.5",
        vec![
            signal("II", "mV", 4, (0..12).collect()),
            signal("V1", "uV", 2, (0..6).collect()),
            signal("SpO2", "%", 1, vec![97; 3]),
        ],
    );
    if discontinuous {
        page = page.at(&["+0", "+0.5", "+2"]);
    }
    page.bytes()
}

/// What is likely to stand in a field, rightly or wrongly.
fn field() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[0-9+\\-., eE\0]{0,8}".prop_map(String::into_bytes),
        prop::sample::select(vec![
            "-1",
            "0",
            "1",
            "2",
            "9999",
            "99999999",
            "1e308",
            "-1e308",
            "1e-308",
            "9e18",
            "EDF+D",
            "BDF+D",
            "mV",
            "uV",
            "\u{b5}V",
            "EDF Annotations",
            "",
            "+0\x14\x14\0",
            "+1e9\x14\x14\0",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..16),
    ]
}

fn hints() -> impl Strategy<Value = ReadHints> {
    (any::<bool>(), any::<bool>()).prop_map(|(rate, unit)| ReadHints {
        sampling_rate_hz: rate.then_some(8.0),
        millivolts_per_unit: unit.then_some(1.0),
        record: None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn fields_that_were_tampered_with(
        discontinuous: bool,
        hints in hints(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), field()), 1..6),
        keep in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = page(discontinuous);
        for (at, field) in changes {
            // Where a field starts, or anywhere in the data.
            let starts: Vec<usize> = (0..bytes.len()).filter(|at| at % 4 == 0 || *at > 1280).collect();
            let at = *at.get(&starts);
            for (place, byte) in bytes[at..].iter_mut().zip(field) {
                *place = byte;
            }
        }
        if let Some(keep) = keep {
            bytes.truncate(keep.index(bytes.len()));
        }
        if let Err(failure) = read(&[("r.edf", &bytes)], &hints) {
            prop_assert!(failure.message.len() > 10);
        }
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..2000), bdf: bool, hints in hints()) {
        let version: &[u8] = if bdf { b"\xffBIOSEMI" } else { b"0       " };
        let bytes = [version, &bytes].concat();
        prop_assert!(read(&[("r.edf", &bytes)], &hints).is_err_and(|failure| failure.message.len() > 10));
    }
}
