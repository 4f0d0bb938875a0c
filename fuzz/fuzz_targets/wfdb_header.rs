//! Any bytes as a header beside one small signal file: an answer or a named refusal, and little memory.
#![no_main]

use einthoven_ecg::readers::{Hints, Input, Limits, NamedFile, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|header: &[u8]| {
    let signal: Vec<u8> = (0..=255).cycle().take(3000).collect();
    let files = [
        NamedFile { name: "r.hea", bytes: header },
        NamedFile { name: "r.dat", bytes: &signal },
        NamedFile { name: "s.hea", bytes: b"s 1 360 100\nr.dat 212 200/mV 12 0 0 0 0 II\n" },
    ];
    let limits = Limits { max_samples: 1_000_000, max_leads: 16 };
    let hints = Hints { record: Some("r".to_owned()), ..Hints::default() };
    match read(&files, &hints, &limits) {
        Ok(reading) => {
            let Input::Recording(recording) = reading.input else {
                panic!("a header gave rows of beats");
            };
            assert!(recording.sampling_rate_hz.is_finite() && recording.sampling_rate_hz > 0.0);
            assert!(!recording.leads.is_empty() && recording.leads.len() <= limits.max_leads);
            assert!(recording.leads.iter().all(|lead| lead.samples_mv.len() == recording.len()));
            assert!(recording.len() as u64 * recording.leads.len() as u64 <= limits.max_samples);
        }
        Err(error) => assert!(!error.to_string().is_empty() && !error.code().is_empty()),
    }
});
