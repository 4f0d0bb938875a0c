//! Annotation files: what is written is read back, and the database has the beats it is known to have.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{data, fixture};
use einthoven_ecg::annotation::{Annotation, Mapping, code, decode, encode};
use einthoven_ecg::beat::BeatClass;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn annotations() -> impl Strategy<Value = Vec<Annotation>> {
    let one = (
        prop_oneof![0_u64..2000, 0_u64..1 << 40],
        1_u8..=49,
        any::<i8>(),
        any::<u8>(),
        any::<i8>(),
        prop::collection::vec(1_u8.., 0..20),
    )
        .prop_map(|(sample, code, subtype, channel, number, aux)| Annotation {
            sample,
            code,
            subtype,
            channel,
            number,
            aux,
        });
    prop::collection::vec(one, 0..40)
}

proptest! {
    /// In any order, with any fields.
    #[test]
    fn what_is_written_is_read_back(annotations in annotations()) {
        prop_assert_eq!(decode(&encode(&annotations).unwrap()).unwrap(), annotations);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        if let Err(error) = decode(&bytes) {
            prop_assert!(error.offset() <= bytes.len() as u64);
        }
    }
}

#[test]
fn modifiers_follow_their_annotation_and_hold_as_the_format_says() {
    // N at 5; subtype -1, channel 2, number 3, text "ab" and its terminator; a skip of 70000; V 1 later.
    let word = |code: u16, value: u16| (code << 10 | value).to_le_bytes();
    let bytes: Vec<u8> = [
        word(1, 5),
        word(61, 0xff),
        word(62, 2),
        word(60, 3),
        word(63, 3),
        *b"ab",
        [0, 0],
        word(59, 0),
        [1, 0],
        [0x70, 0x11],
        word(5, 1),
        [0, 0],
    ]
    .concat();
    let expected = [
        Annotation {
            sample: 5,
            code: 1,
            subtype: -1,
            channel: 2,
            number: 3,
            aux: b"ab".to_vec(),
        },
        Annotation {
            sample: 70_006,
            code: 5,
            subtype: 0,
            channel: 2,
            number: 3,
            aux: vec![],
        },
    ];
    assert_eq!(decode(&bytes).unwrap(), expected);
    for cut in [0, 1, 3, 11, bytes.len() - 1] {
        assert!(decode(&bytes[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn what_has_no_representation_is_refused_by_its_index() {
    let good = Annotation {
        sample: 1,
        code: code::NORMAL,
        ..Annotation::default()
    };
    for bad in [
        Annotation {
            code: 0,
            ..good.clone()
        },
        Annotation {
            code: 50,
            ..good.clone()
        },
        Annotation {
            sample: u64::MAX,
            ..good.clone()
        },
        Annotation {
            aux: vec![b'a'; 256],
            ..good.clone()
        },
        Annotation {
            aux: b"a\0".to_vec(),
            ..good.clone()
        },
    ] {
        let error = encode(&[good.clone(), bad]).unwrap_err().to_string();
        assert!(error.contains("annotation 1"), "{error}");
    }
}

#[test]
fn a_files_bytes_are_written_as_they_were() {
    let bytes = fixture("100s.atr");
    let again = encode(&decode(&bytes).unwrap()).unwrap();
    // The rhythm `(N` has its terminator in the file and not in what is written: one word less counts one letter less.
    assert_eq!(decode(&again).unwrap(), decode(&bytes).unwrap());
    assert!(bytes.len() - again.len() <= 2);
}

const DS1: &str = "101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230";
const DS2: &str = "100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 233 234";
const PACED: &str = "102 104 107 217";

/// The counts of de Chazal's division, in the order N S V F Q: whole records, then after 5:00.
#[test]
fn the_database_has_its_known_beats() {
    let Some(folder) = data("mitdb") else { return };
    let mut records = BTreeMap::new();
    for name in [DS1, DS2, PACED].join(" ").split(' ') {
        let annotations = decode(&std::fs::read(folder.join(format!("{name}.atr"))).unwrap()).unwrap();
        assert_eq!(decode(&encode(&annotations).unwrap()).unwrap(), annotations, "{name}");
        records.insert(name.to_owned(), annotations);
    }
    let count = |names: &str, mapping: Mapping, from: u64| {
        let classes: Vec<_> = names
            .split(' ')
            .flat_map(|name| &records[name])
            .filter(|annotation| annotation.sample >= from)
            .filter_map(|annotation| mapping.class(annotation.code))
            .collect();
        BeatClass::ALL.map(|class| classes.iter().filter(|found| **found == class).count())
    };
    let (dechazal, bxb) = (Mapping::AamiDechazal, Mapping::AamiBxb);
    let five_minutes = 5 * 60 * 360;
    assert_eq!(count(DS1, dechazal, 0), [45_866, 944, 3788, 415, 8]);
    assert_eq!(count(DS2, dechazal, 0), [44_259, 1837, 3221, 388, 7]);
    assert_eq!(count(DS1, dechazal, five_minutes), [38_012, 894, 3214, 335, 8]);
    assert_eq!(count(DS2, dechazal, five_minutes), [36_926, 1608, 2686, 288, 7]);
    assert_eq!(count(PACED, dechazal, 0), [506, 0, 227, 0, 8028]);
    // The 245 escape beats, 213 of them in DS2, are what the two mappings differ in.
    assert_eq!(count(DS2, bxb, 0), [44_259 - 213, 1837 + 213, 3221, 388, 7]);
    assert_eq!(count(DS1, bxb, 0), [45_866 - 32, 944 + 32, 3788, 415, 8]);
    assert_eq!(
        records
            .values()
            .flatten()
            .filter(|a| dechazal.class(a.code).is_some())
            .count(),
        109_494
    );
}
