//! A host for tests: it keeps what it is told, bounds it, and fails when the reader breaks the order of calls.

use einthoven_plugin_sdk::{Code, Failure, InputFile, ReadHints, Reader, RecordingSink, Setup};
use einthoven_reader_edf::EdfReader;

/// Leads times samples that a test may ask for.
const MAX_SAMPLES: usize = 4_000_000;

#[derive(Debug)]
pub(crate) struct Lead {
    pub(crate) name: String,
    pub(crate) rails_mv: Option<(f32, f32)>,
    pub(crate) samples_mv: Vec<f32>,
}

#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) record: String,
    pub(crate) rate: f64,
    pub(crate) leads: Vec<Lead>,
    pub(crate) flags: Vec<(String, String)>,
}

impl Kept {
    pub(crate) fn names(&self) -> Vec<&str> {
        self.leads.iter().map(|lead| lead.name.as_str()).collect()
    }

    pub(crate) fn codes(&self) -> Vec<&str> {
        self.flags.iter().map(|(code, _)| code.as_str()).collect()
    }
}

impl RecordingSink for Kept {
    fn begin(&mut self, record: &str, sampling_rate_hz: f64) -> Result<(), Failure> {
        assert!(self.rate == 0.0, "begun twice");
        assert!(
            sampling_rate_hz.is_finite() && sampling_rate_hz > 0.0,
            "rate {sampling_rate_hz}"
        );
        self.record = record.to_owned();
        self.rate = sampling_rate_hz;
        Ok(())
    }

    fn lead(&mut self, name: &str, samples: usize, rails_mv: Option<(f32, f32)>) -> Result<&mut [f32], Failure> {
        assert!(self.rate > 0.0, "a lead before the recording");
        assert!(samples > 0 && !name.is_empty());
        if let Some(first) = self.leads.first() {
            assert_eq!(first.samples_mv.len(), samples, "leads of one length");
        }
        if samples.saturating_mul(self.leads.len() + 1) > MAX_SAMPLES {
            return Err(Failure::new(Code::ResourceExhausted, "too many samples"));
        }
        self.leads.push(Lead {
            name: name.to_owned(),
            rails_mv,
            samples_mv: vec![0.0; samples],
        });
        Ok(self.leads.last_mut().map_or(&mut [], |lead| &mut lead.samples_mv))
    }

    fn flag(&mut self, code: &str, detail: &str) {
        assert!(self.rate > 0.0, "a flag before the recording");
        self.flags.push((code.to_owned(), detail.to_owned()));
    }
}

pub(crate) fn reader() -> EdfReader {
    let config = serde_json::json!({});
    EdfReader::open(&Setup {
        directory: None,
        config: &config,
    })
    .unwrap()
}

pub(crate) fn read(files: &[(&str, &[u8])], hints: &ReadHints) -> Result<Kept, Failure> {
    let files: Vec<_> = files.iter().map(|(name, bytes)| InputFile { name, bytes }).collect();
    let mut kept = Kept::default();
    reader().read(&files, hints, &mut kept)?;
    assert!(!kept.leads.is_empty(), "an answer has a lead");
    assert!(
        kept.leads
            .iter()
            .flat_map(|lead| &lead.samples_mv)
            .all(|sample| !sample.is_infinite()),
        "no infinities"
    );
    Ok(kept)
}

/// Reads one file without any hint.
pub(crate) fn read_one(bytes: &[u8]) -> Result<Kept, Failure> {
    read(&[("r.edf", bytes)], &ReadHints::default())
}
