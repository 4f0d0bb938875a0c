//! A recording as a WFDB record, for other programs.

use crate::recording::{Recording, StandardLead};

/// Steps for each millivolt: one microvolt each, which holds what 16 bits hold up to 32 mV.
const GAIN: f64 = 1000.0;
/// The greatest value; below the smallest lies what means invalid.
const GREATEST: f64 = 32_767.0;
/// What stands for an invalid sample.
const INVALID: i16 = i16::MIN;

/// The two files of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// `NAME.hea`.
    pub header: String,
    /// `NAME.dat`: 16 bits for each sample, all leads side by side.
    pub signal: Vec<u8>,
}

/// Writes a recording as a record of that name (letters, digits, hyphens and underscores).
///
/// Samples are rounded to a microvolt, or coarser where a lead goes beyond 32 mV. A lead whose name does not say which lead it is is called
/// `lead 1` and so on by its place: files may call a lead anything.
#[must_use]
pub fn record(name: &str, recording: &Recording) -> Record {
    let samples = recording.len();
    let mut header = format!(
        "{name} {} {} {samples}\n",
        recording.leads.len(),
        recording.sampling_rate_hz
    );
    let mut columns = Vec::with_capacity(recording.leads.len());
    for (place, lead) in recording.leads.iter().enumerate() {
        let greatest = lead.samples_mv.iter().filter(|value| value.is_finite());
        let greatest = greatest.fold(0.0_f64, |greatest, value| greatest.max(f64::from(value.abs())));
        let gain = if greatest * GAIN > GREATEST {
            GREATEST / greatest
        } else {
            GAIN
        };
        let value = |sample: &f32| {
            let scaled = (f64::from(*sample) * gain).round();
            if scaled.is_finite() {
                scaled.clamp(-GREATEST, GREATEST) as i16
            } else {
                INVALID
            }
        };
        let values: Vec<i16> = lead.samples_mv.iter().map(value).collect();
        let sum = values.iter().fold(0_i16, |sum, value| sum.wrapping_add(*value));
        let first = values.first().copied().unwrap_or(0);
        let called = match StandardLead::from_name(&lead.name) {
            Some(_) => lead.name.clone(),
            None => format!("lead {}", place + 1),
        };
        header += &format!("{name}.dat 16 {gain}(0)/mV 16 0 {first} {sum} 0 {called}\n");
        columns.push(values);
    }
    let mut signal = Vec::with_capacity(samples * columns.len() * 2);
    for sample in 0..samples {
        for column in &columns {
            let value = column.get(sample).copied().unwrap_or(INVALID);
            signal.extend_from_slice(&value.to_le_bytes());
        }
    }
    Record { header, signal }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readers::{Hints, Input, Limits, NamedFile, read};
    use crate::recording::Lead;

    #[test]
    fn what_is_written_reads_back_to_the_microvolt() {
        let lead = |name: &str, samples_mv: Vec<f32>| Lead {
            name: name.to_owned(),
            standard: StandardLead::from_name(name),
            samples_mv,
            rails_mv: None,
        };
        let wave = |scale: f32| (0..500).map(|i| scale * (i as f32 / 17.0).sin()).collect::<Vec<_>>();
        let mut broken = wave(1.2);
        broken[40] = f32::NAN;
        let recording = Recording {
            name: "x".into(),
            format: "wfdb".into(),
            sampling_rate_hz: 257.5,
            leads: vec![lead("MLII", broken), lead("of Erika", wave(90.0))],
            flags: Vec::new(),
        };
        let written = record("r1", &recording);
        assert!(!written.header.contains("Erika"), "{}", written.header);
        let files = [
            NamedFile {
                name: "r1.hea",
                bytes: written.header.as_bytes(),
            },
            NamedFile {
                name: "r1.dat",
                bytes: &written.signal,
            },
        ];
        let Input::Recording(again) = read(&files, &Hints::default(), &Limits::default()).unwrap().input else {
            panic!("no recording");
        };
        assert_eq!((again.sampling_rate_hz, again.len()), (257.5, 500));
        assert!(
            again.flags.iter().all(|flag| flag.code != "checksum_mismatch"),
            "{:?}",
            again.flags
        );
        assert_eq!(
            (again.leads[0].name.as_str(), again.leads[1].name.as_str()),
            ("MLII", "lead 2")
        );
        for (was, is, most) in [(0, 0, 0.0006), (1, 1, 0.002)] {
            for (sample, (was, is)) in recording.leads[was]
                .samples_mv
                .iter()
                .zip(&again.leads[is].samples_mv)
                .enumerate()
            {
                assert!(
                    was.is_nan() == is.is_nan() && (was.is_nan() || (was - is).abs() < most),
                    "{sample}: {was} {is}"
                );
            }
        }
    }
}
