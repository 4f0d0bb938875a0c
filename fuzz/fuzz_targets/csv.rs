//! Any bytes as a table of text; the first one chooses what the caller states.
#![no_main]

use einthoven_ecg::readers::{Hints, Input, Limits, NamedFile, Unit, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [choice, text @ ..] = data else {
        return;
    };
    let hints = Hints {
        sampling_rate_hz: (choice & 1 != 0).then_some(250.0),
        unit: (choice & 2 != 0).then_some(Unit::Millivolt),
        record: None,
    };
    let limits = Limits { max_samples: 100_000, max_leads: 16 };
    let files = [NamedFile { name: "table.csv", bytes: text }];
    match read(&files, &hints, &limits) {
        Ok(reading) => match reading.input {
            Input::Recording(recording) => {
                assert!(recording.sampling_rate_hz.is_finite() && recording.sampling_rate_hz > 0.0);
                assert!(!recording.leads.is_empty() && recording.leads.len() <= limits.max_leads);
                assert!(recording.leads.iter().all(|lead| lead.samples_mv.len() == recording.len()));
                assert!(recording.leads.iter().flat_map(|lead| &lead.samples_mv).all(|sample| !sample.is_infinite()));
            }
            Input::BeatRows(rows) => {
                assert!(rows.labels.is_none_or(|labels| labels.len() == rows.rows.len()));
                assert!(rows.rows.iter().flatten().all(|value| value.is_finite()));
            }
        },
        Err(error) => assert!(!error.to_string().is_empty() && !error.code().is_empty()),
    }
});
