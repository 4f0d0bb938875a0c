//! Apple Watch exports: lines of a key and a value, in the phone's language, then one value a line.
//!
//! Keys are told by their values: the one in hertz is the sampling rate, the one that is a unit of voltage the unit.
//! Name, birth date and everything else is not kept.

use super::layout::number_or_gap;
use super::{agreed_rate, agreed_unit, lead, lines};
use crate::readers::{Hints, Limits, NamedFile, ReadError, Unit};
use crate::recording::{Recording, StandardLead};

/// Lines of keys and values at most.
const HEADER_LINES: usize = 40;

/// What the keys say.
#[derive(Debug, PartialEq)]
pub(super) struct Export<'a> {
    rate_hz: f64,
    unit: Option<Unit>,
    lead: Option<String>,
    bytes: &'a [u8],
}

impl<'a> Export<'a> {
    /// `None` when no key has a value in hertz.
    pub(super) fn recognise(bytes: &'a [u8]) -> Option<Self> {
        let (mut rate_hz, mut unit, mut lead) = (None, None, None);
        for (_, line) in lines(bytes).take(HEADER_LINES) {
            let Some((key, value)) = pair(line) else { continue };
            let words: Vec<&str> = value.split_whitespace().collect();
            if let [number, hertz] = words.as_slice()
                && ["hz", "hertz"].contains(&hertz.to_lowercase().as_str())
                && let Some(rate) = number_or_gap(number.as_bytes(), true).filter(|rate| *rate > 0.0)
            {
                rate_hz = Some(rate);
            }
            unit = unit.or(Unit::from_name(&value));
            if StandardLead::from_name(&value).is_some() && !key.chars().any(|c| c.is_ascii_digit()) {
                lead = Some(value);
            }
        }
        Some(Self {
            rate_hz: rate_hz?,
            unit,
            lead,
            bytes,
        })
    }

    pub(super) fn read(self, file: &NamedFile<'_>, hints: &Hints, limits: &Limits) -> Result<Recording, ReadError> {
        let rate = agreed_rate(file, Some(self.rate_hz), hints)?;
        let scale = agreed_unit(file, self.unit, hints)?.millivolts();
        let mut samples = Vec::new();
        for (number, line) in lines(self.bytes) {
            let field = line.trim_ascii_end();
            let field = field
                .strip_prefix(b"\"")
                .and_then(|field| field.strip_suffix(b"\""))
                .unwrap_or(field);
            match number_or_gap(field, true) {
                Some(value) if !field.is_empty() => samples.push((value * scale) as f32),
                _ if samples.is_empty() || field.is_empty() => {}
                _ => {
                    return Err(ReadError::malformed(
                        file.base(),
                        format!("line {number} is not a number"),
                    ));
                }
            }
            if samples.len() as u64 > limits.max_samples {
                return Err(ReadError::TooLarge {
                    name: file.base().to_owned(),
                    what: "samples",
                    count: samples.len() as u64,
                    limit: limits.max_samples,
                });
            }
        }
        if samples.is_empty() {
            return Err(ReadError::malformed(file.base(), "the export has no samples"));
        }
        let mut flags = Vec::new();
        let lead = lead(self.lead.unwrap_or_else(|| "ECG".to_owned()), samples, &mut flags);
        Ok(Recording {
            name: file.stem().to_owned(),
            format: "csv-apple-watch",
            sampling_rate_hz: rate,
            leads: vec![lead],
            flags,
        })
    }
}

/// `key,value` or `key;value` with optional quotes.
fn pair(line: &[u8]) -> Option<(String, String)> {
    let text = String::from_utf8_lossy(line);
    let (key, value) = text.split_once([',', ';'])?;
    let clean = |text: &str| text.trim().trim_matches('"').trim().to_owned();
    let key = clean(key);
    (!key.is_empty() && key.parse::<f64>().is_err()).then(|| (key, clean(value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readers::{Input, Reading, read};

    const GERMAN: &str = "Name,Erika Mustermann\nGeburtsdatum,01.02.1960\nAufzeichnungsdatum,2019-03-28 10:00:00\nKlassifizierung,Sinusrhythmus\nAbtastrate,\"512,844 Hertz\"\n\n\nAbleitung,Ableitung I\nEinheit,\u{b5}V\n\n\"-265,868\"\n\"12,5\"\n100\n";

    fn recording(text: &str) -> Recording {
        let file = NamedFile {
            name: "ecg.csv",
            bytes: text.as_bytes(),
        };
        match read(&[file], &Hints::default(), &Limits::default()).unwrap() {
            Reading {
                input: Input::Recording(recording),
                ..
            } => recording,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_export_in_another_language_is_read_and_nobody_is_named() {
        let recording = recording(GERMAN);
        assert_eq!(recording.sampling_rate_hz, 512.844);
        assert_eq!(recording.leads[0].samples_mv, [-0.265_868, 0.0125, 0.1]);
        let everything = format!("{recording:?}");
        assert!(
            !everything.contains("Erika") && !everything.contains("1960"),
            "{everything}"
        );
    }

    #[test]
    fn an_english_export_names_its_lead() {
        let text = "Name,Jane Doe\nSample Rate,512 hertz\nLead,Lead I\nUnit,\u{b5}V\n\n-265.868\n1\n";
        let recording = recording(text);
        assert_eq!(
            (recording.format, recording.leads[0].standard),
            ("csv-apple-watch", Some(StandardLead::I))
        );
    }
}
