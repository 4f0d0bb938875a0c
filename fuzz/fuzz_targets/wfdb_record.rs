//! A header and its signal file from one input, the two parts split at the first zero byte: every format, FLAC too.
#![no_main]

use einthoven_ecg::readers::{Hints, Input, Limits, NamedFile, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let cut = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (header, signal) = (&data[..cut], data.get(cut + 1..).unwrap_or_default());
    let files = [
        NamedFile { name: "r.hea", bytes: header },
        NamedFile { name: "r.dat", bytes: signal },
        NamedFile { name: "r.atr", bytes: b"\x12\x04\0\0" },
    ];
    let limits = Limits { max_samples: 1_000_000, max_leads: 16 };
    if let Ok(reading) = read(&files, &Hints::default(), &limits) {
        let Input::Recording(recording) = reading.input else {
            panic!("a header gave rows of beats");
        };
        assert!(recording.leads.iter().all(|lead| lead.samples_mv.len() == recording.len()));
        assert!(recording.len() as u64 * recording.leads.len() as u64 <= limits.max_samples);
    }
});
