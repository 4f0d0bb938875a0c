//! Any bytes as an EDF or BDF file; the first one chooses what the caller states. What is read keeps the sink's rules.
#![no_main]

use einthoven_plugin_sdk::{Code, Failure, InputFile, ReadHints, Reader, RecordingSink};
use einthoven_reader_edf::EdfReader;
use libfuzzer_sys::fuzz_target;

#[derive(Default)]
struct Sink {
    rate: Option<f64>,
    samples: Option<usize>,
    leads: Vec<Vec<f32>>,
}

impl RecordingSink for Sink {
    fn begin(&mut self, record: &str, sampling_rate_hz: f64) -> Result<(), Failure> {
        assert!(self.rate.replace(sampling_rate_hz).is_none() && record == "r");
        assert!(sampling_rate_hz.is_finite() && sampling_rate_hz > 0.0);
        Ok(())
    }

    fn lead(&mut self, name: &str, samples: usize, rails_mv: Option<(f32, f32)>) -> Result<&mut [f32], Failure> {
        assert!(self.rate.is_some() && !name.is_empty() && samples > 0);
        assert!(rails_mv.is_none_or(|(low, high)| low.is_finite() && high.is_finite() && low <= high));
        assert_eq!(*self.samples.get_or_insert(samples), samples);
        if samples.saturating_mul(self.leads.len() + 1) > 1_000_000 {
            return Err(Failure::new(Code::ResourceExhausted, "too many samples"));
        }
        self.leads.push(vec![0.0; samples]);
        Ok(self.leads.last_mut().expect("a lead was added"))
    }

    fn flag(&mut self, code: &str, detail: &str) {
        assert!(self.rate.is_some() && !code.is_empty() && !detail.contains(char::is_control));
    }
}

fuzz_target!(|data: &[u8]| {
    let [choice, bytes @ ..] = data else {
        return;
    };
    let hints = ReadHints {
        sampling_rate_hz: (choice & 1 != 0).then_some(250.0),
        millivolts_per_unit: (choice & 2 != 0).then_some(1e-3),
        record: None,
    };
    let files = [InputFile { name: "r.edf", bytes }];
    let mut sink = Sink::default();
    match EdfReader.read(&files, &hints, &mut sink) {
        Ok(()) => {
            assert!(!sink.leads.is_empty());
            assert!(sink.leads.iter().flatten().all(|sample| !sample.is_infinite()));
        }
        Err(failure) => assert!(failure.message.starts_with("r.edf") || failure.code == Code::ResourceExhausted),
    }
});
