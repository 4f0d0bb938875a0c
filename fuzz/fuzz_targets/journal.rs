//! Any bytes as a frame of the journal; what is an entry or a label is looked at as a reader of them would, and written and
//! read again to the same.
#![no_main]

use einthoven_journal::labels::{Label, compared, current};
use einthoven_journal::{Entry, Kind, decode, encode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(frame) = decode(data) {
        assert!(frame.length <= data.len());
    }
    // Checksums keep a fuzzer out: the payload is tried by itself.
    if let Ok(entry) = serde_json::from_slice::<Entry>(data) {
        let shown = entry.beats().count();
        assert!(shown <= entry.beats.len());
        if entry.check().is_ok() {
            assert_eq!(shown, entry.beats.len());
        }
        let label = Label {
            prediction: entry.id,
            reader: "r".into(),
            at: entry.at,
            key: "k".into(),
            why: String::new(),
            source: einthoven_journal::labels::Source::Api,
            adjudication: false,
            marks: Vec::new(),
        };
        let _ = compared(&entry, &[label]);
        let json = serde_json::to_vec(&entry).expect("an entry is written");
        let mut bytes = Vec::new();
        encode(Kind::Entry, &json, &mut bytes).expect("it is small");
        let frame = decode(&bytes).expect("what was written is read");
        assert_eq!(frame.payload.as_ref(), json);
        serde_json::from_slice::<Entry>(&frame.payload).expect("and is an entry");
    }
    if let Ok(label) = serde_json::from_slice::<Label>(data) {
        let _ = current(&[label]);
    }
});
