//! Any bytes as an annotation file; what is read is written back and read again to the same annotations.
#![no_main]

use einthoven_ecg::annotation::{decode, encode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(annotations) = decode(data) else {
        return;
    };
    // Texts of more than 255 bytes or with several zeros at their end are read but not written.
    if let Ok(bytes) = encode(&annotations) {
        assert_eq!(decode(&bytes).expect("what was written is read"), annotations);
    }
});
