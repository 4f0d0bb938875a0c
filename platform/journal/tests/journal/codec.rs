//! Frames and entries: what is written is read, whatever else is there is refused.

use crate::setup::entry;
use einthoven_journal::{Entry, FrameError, Kind, decode, encode};
use proptest::prelude::*;

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Entry), Just(Kind::Labels), Just(Kind::Erased)]
}

/// Bytes that pack well and bytes that do not.
fn payloads() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..5000),
        (any::<u8>(), 0_usize..50_000).prop_map(|(byte, length)| vec![byte; length]),
    ]
}

proptest! {
    #[test]
    fn a_frame_comes_back(kind in kinds(), payload in payloads(), after in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut bytes = Vec::new();
        encode(kind, &payload, &mut bytes).unwrap();
        let length = bytes.len();
        bytes.extend(after);
        let frame = decode(&bytes).unwrap();
        prop_assert_eq!(frame.kind, kind);
        prop_assert_eq!(frame.length, length);
        prop_assert_eq!(frame.payload.as_ref(), payload.as_slice());
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode(&bytes);
    }

    #[test]
    fn any_bytes_after_a_sound_beginning_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..400), flags in 0_u8..4) {
        // A frame that was made by somebody who knows the checksums.
        let mut frame = vec![0xE1, 0x4A, 1, flags];
        frame.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
        frame.extend(crc32c::crc32c(&bytes).to_le_bytes());
        let checksum = crc32c::crc32c(&frame);
        frame.extend(checksum.to_le_bytes());
        frame.extend(&bytes);
        if let Ok(read) = decode(&frame) {
            prop_assert_eq!(read.length, frame.len());
            let _ = serde_json::from_slice::<Entry>(&read.payload);
        }
    }

    #[test]
    fn one_changed_bit_is_noticed(payload in payloads(), place in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let mut bytes = Vec::new();
        encode(Kind::Entry, &payload, &mut bytes).unwrap();
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        prop_assert!(decode(&bytes).is_err());
    }

    #[test]
    fn an_entry_comes_back(number in 0_u64..1000, beats in 0_usize..200) {
        let entry = entry(number, beats);
        let json = serde_json::to_vec(&entry).unwrap();
        prop_assert_eq!(serde_json::from_slice::<Entry>(&json).unwrap(), entry);
    }
}

#[test]
fn cut_off_at_any_byte_it_is_told_as_cut_off() {
    for beats in [1, 60] {
        let mut bytes = Vec::new();
        encode(Kind::Entry, &serde_json::to_vec(&entry(3, beats)).unwrap(), &mut bytes).unwrap();
        for end in 0..bytes.len() {
            assert_eq!(
                decode(&bytes[..end]).unwrap_err(),
                FrameError::Torn,
                "after {end} bytes"
            );
        }
    }
}

#[test]
fn a_length_that_promises_too_much_is_not_believed() {
    // 4 GiB of raw DEFLATE in a few bytes: the payload says so itself.
    let mut bytes = Vec::new();
    let mut payload = u32::MAX.to_le_bytes().to_vec();
    payload.extend([0x03, 0x00]);
    bytes.extend([0xE1, 0x4A, 1, 1]);
    bytes.extend(6_u32.to_le_bytes());
    bytes.extend(crc32c::crc32c(&payload).to_le_bytes());
    let checksum = crc32c::crc32c(&bytes);
    bytes.extend(checksum.to_le_bytes());
    bytes.extend(payload);
    assert_eq!(decode(&bytes).unwrap_err(), FrameError::Unknown { length: 22 });
}

#[test]
fn probabilities_that_are_no_numbers_survive() {
    let mut entry = entry(1, 2);
    entry.beats.probabilities[1] = f32::NAN;
    entry.beats.probabilities[2] = f32::INFINITY;
    entry.sampling_rate_hz = Some(f64::NAN);
    entry.quality.readable_share = Some(f64::NAN);
    entry.quality.figures = [("k".to_owned(), f64::NEG_INFINITY), ("p".to_owned(), 0.5)].into();
    let json = serde_json::to_vec(&entry).unwrap();
    let read: Entry = serde_json::from_slice(&json).unwrap();
    assert!(read.beats.probabilities[1].is_nan() && read.beats.probabilities[2].is_nan());
    assert_eq!(read.beats.probabilities[0], entry.beats.probabilities[0]);
    assert_eq!((read.sampling_rate_hz, read.quality.readable_share), (None, None));
    assert_eq!(read.quality.figures.len(), 1);
}

#[test]
fn columns_that_do_not_fit_are_refused() {
    let mut short = entry(1, 3);
    short.beats.class.pop();
    assert!(short.check().is_err());
    let mut unknown = entry(1, 3);
    unknown.beats.class[0] = Some(9);
    assert!(unknown.check().is_err());
    let mut few = entry(1, 3);
    few.beats.probabilities.pop();
    assert!(few.check().is_err());
    // What was damaged into such a state is shown as far as it goes.
    assert_eq!(unknown.beats().count(), 3);
    assert_eq!(few.beats().count(), 3);
}
