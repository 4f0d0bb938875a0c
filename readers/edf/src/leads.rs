//! Which signals become leads, and how their samples become millivolts.

use crate::Note;
use crate::field::{integer, number, shown, shown_list};
use crate::header::{Header, Signal};
use einthoven_plugin_sdk::{Failure, ReadHints};

/// Signals left out that are flagged one by one; files with hundreds of EEG signals exist.
const MAX_NOTES: usize = 64;

/// The signals that become leads.
pub(crate) struct Choice<'h, 'b> {
    /// At least one, all of one rate.
    pub(crate) kept: Vec<&'h Signal<'b>>,
    /// Samples in a data record of each of them.
    pub(crate) per_record: usize,
    /// What was left out, and why.
    pub(crate) notes: Vec<Note>,
}

/// Picks the leads: voltages that no name calls something else; of those the ones named as an ECG, where there are any;
/// of those the ones with a unit, where there are any; and of those the ones with the highest rate.
///
/// Signals of other rates are left out rather than resampled, as WFDB records' are.
pub(crate) fn choose<'h, 'b>(header: &'h Header<'b>, hints: &ReadHints) -> Result<Choice<'h, 'b>, Failure> {
    let (mut kept, mut left_out): (Vec<_>, Vec<_>) = (Vec::new(), Vec::new());
    for signal in header.signals.iter().filter(|signal| !signal.is_annotations()) {
        let blank = signal.dimension.is_empty();
        if !blank && millivolts(&signal.dimension).is_none() {
            left_out.push((signal, format!("its unit is {}", shown(&signal.dimension))));
        } else if measures_something_else(&signal.label) {
            left_out.push((signal, "its name says it is no ECG".to_owned()));
        } else if signal.per_record == 0 {
            left_out.push((signal, "it has no samples".to_owned()));
        } else {
            kept.push(signal);
        }
    }
    let mut prefer = |kept: &mut Vec<&'h Signal<'b>>, wanted: &dyn Fn(&Signal<'_>) -> bool, why: &str| {
        if kept.iter().any(|signal| wanted(signal)) {
            left_out.extend(
                kept.extract_if(.., |signal| !wanted(signal))
                    .map(|signal| (signal, why.to_owned())),
            );
        }
    };
    prefer(
        &mut kept,
        &|signal| named_as_ecg(&signal.label),
        "others are named as an ECG and it is not",
    );
    prefer(
        &mut kept,
        &|signal| !signal.dimension.is_empty(),
        "it has no unit and others have",
    );
    let per_record = kept.iter().map(|signal| signal.per_record).max().unwrap_or(0);
    prefer(
        &mut kept,
        &|signal| signal.per_record == per_record,
        "it has a lower sampling rate than the ECG",
    );

    if kept.is_empty() {
        let all: Vec<_> = header
            .signals
            .iter()
            .map(|signal| format!("{} [{}]", signal.label, signal.dimension))
            .collect();
        return Err(Failure::invalid(format!(
            "{}: none of its signals is a voltage that can be an ECG lead ({}); send a recording with an ECG",
            header.file,
            shown_list(all.iter().map(String::as_str))
        )));
    }
    for signal in &kept {
        let in_file = millivolts(&signal.dimension);
        match (in_file, hints.millivolts_per_unit) {
            (None, None) => {
                return Err(Failure::invalid(format!(
                    "{}: the physical dimension of signal {} \"{}\" is empty; give it as `unit` (mV, uV, V or nV)",
                    header.file,
                    signal.index,
                    shown(&signal.label)
                )));
            }
            (Some(in_file), Some(stated)) if (in_file - stated).abs() > 1e-6 * in_file => {
                return Err(Failure::invalid(format!(
                    "{}: the file says unit {} but {stated} mV per unit was stated; leave the statement out or \
                     correct it",
                    header.file,
                    shown(&signal.dimension)
                )));
            }
            _ => {}
        }
    }
    left_out.sort_by_key(|(signal, _)| signal.index);
    let notes = left_out
        .into_iter()
        .take(MAX_NOTES)
        .map(|(signal, why)| Note {
            code: "signal_left_out",
            detail: format!(
                "Signal {} \"{}\" was left out: {why}.",
                signal.index,
                shown(&signal.label)
            ),
        })
        .collect();
    Ok(Choice {
        kept,
        per_record,
        notes,
    })
}

/// Millivolts in a unit of voltage, `None` for any other unit.
fn millivolts(dimension: &str) -> Option<f64> {
    // The micro sign, the Greek letter, and the byte that was the micro sign in the code pages of DOS.
    let key = dimension.to_lowercase().replace(['\u{b5}', '\u{3bc}', '\u{e6}'], "u");
    Some(match key.as_str() {
        "mv" | "millivolt" | "millivolts" => 1.0,
        "uv" | "microvolt" | "microvolts" => 1e-3,
        "v" | "volt" | "volts" => 1e3,
        "nv" | "nanovolt" | "nanovolts" => 1e-6,
        _ => return None,
    })
}

fn words(label: &str) -> Vec<String> {
    label
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_uppercase)
        .collect()
}

/// Whether a label says that this is an ECG: `ECG II`, `EKG1`, `Lead I`, or just the lead's name.
fn named_as_ecg(label: &str) -> bool {
    const LEADS: [&str; 37] = [
        "I", "II", "III", "DI", "DII", "DIII", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8",
        "V9", "V3R", "V4R", "MLI", "MLII", "MLIII", "ML1", "ML2", "ML3", "MV1", "MV2", "MV5", "MCL1", "CM1", "CM2",
        "CM3", "CM4", "CM5", "CC5", "CS5",
    ];
    let words = words(label);
    words
        .iter()
        .any(|word| word.starts_with("ECG") || word.starts_with("EKG"))
        || (words.len() > 1 && words[0] == "LEAD")
        || LEADS.contains(&words.concat().as_str())
}

/// Whether a label names another body signal, or none.
fn measures_something_else(label: &str) -> bool {
    const WORDS: [&str; 11] = [
        "ABP", "ART", "PAP", "CVP", "ICP", "CO2", "GSR", "EDA", "HR", "PULSE", "PPG",
    ];
    // Often with a number or side behind them: `EMG1`, `EOGL`.
    const STARTS: [&str; 18] = [
        "EEG", "EOG", "EMG", "ERG", "MEG", "RESP", "PLETH", "SPO2", "SAO2", "THOR", "ABDO", "SNOR", "FLOW", "TRIG",
        "MARKER", "STATUS", "EVENT", "ACCEL",
    ];
    !named_as_ecg(label)
        && words(label)
            .iter()
            .any(|word| WORDS.contains(&word.as_str()) || STARTS.iter().any(|start| word.starts_with(start)))
}

/// A signal with its scale.
pub(crate) struct Lead {
    pub(crate) name: String,
    /// Bytes before the signal in a data record.
    pub(crate) offset: usize,
    /// Samples in one data record.
    pub(crate) per_record: usize,
    /// The converter's lowest and highest value in millivolts.
    pub(crate) rails_mv: Option<(f32, f32)>,
    digital_min: f64,
    physical_min: f64,
    /// Physical units in one step of the converter.
    step: f64,
    millivolts: f64,
}

impl Lead {
    pub(crate) fn of(header: &Header<'_>, signal: &Signal<'_>, hints: &ReadHints) -> Result<Self, Failure> {
        let bad = |what: &str| {
            let place = format!("signal {} \"{}\"", signal.index, shown(&signal.label));
            header.bad(&place, what)
        };
        let [low, high, digital_low, digital_high] = signal.range;
        let (Some(low), Some(high)) = (number(low), number(high)) else {
            return Err(bad("the physical minimum or maximum is not a number"));
        };
        let (Some(digital_low), Some(digital_high)) = (integer(digital_low), integer(digital_high)) else {
            return Err(bad("the digital minimum or maximum is not a whole number"));
        };
        if low == high {
            return Err(bad("the physical minimum and maximum are the same, so it has no scale"));
        }
        if digital_low == digital_high {
            return Err(bad("the digital minimum and maximum are the same, so it has no scale"));
        }
        // `choose` keeps no signal that has neither.
        let millivolts = millivolts(&signal.dimension)
            .or(hints.millivolts_per_unit)
            .unwrap_or(f64::NAN);
        let mut lead = Self {
            name: signal.label.clone(),
            offset: signal.offset,
            per_record: signal.per_record,
            rails_mv: None,
            digital_min: digital_low as f64,
            physical_min: low,
            step: (high - low) / (digital_high - digital_low) as f64,
            millivolts,
        };
        let ends = [digital_low, digital_high].map(|digital| lead.millivolts_of(digital as f64));
        let rails = (ends[0].min(ends[1]), ends[0].max(ends[1]));
        lead.rails_mv = (rails.0.is_finite() && rails.1.is_finite()).then_some(rails);
        Ok(lead)
    }

    /// A sample in millivolts; NaN where the header's range leads beyond what a float holds.
    pub(crate) fn millivolts_of(&self, digital: f64) -> f32 {
        let value = (((digital - self.digital_min) * self.step + self.physical_min) * self.millivolts) as f32;
        if value.is_finite() { value } else { f32::NAN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_units_are_understood_however_written() {
        for label in [
            "ECG",
            "EKG1-EKG2",
            "ecg II",
            "Lead I",
            "aVR",
            "MLII",
            "MDC_ECG_LEAD_V1",
            "V5 ",
            "ECGL",
        ] {
            assert!(named_as_ecg(label) && !measures_something_else(label), "{label}");
        }
        for label in [
            "EEG Fpz-Cz",
            "EMG1",
            "EOG(L)",
            "Resp nasal",
            "Status",
            "SaO2",
            "Pulse",
            "Flow",
        ] {
            assert!(!named_as_ecg(label) && measures_something_else(label), "{label}");
        }
        for label in ["CH1", "channel 2", "", "signal 0", "Lead", "ramp"] {
            assert!(!named_as_ecg(label) && !measures_something_else(label), "{label}");
        }
        for (unit, value) in [
            ("mV", 1.0),
            ("UV", 1e-3),
            ("\u{b5}V", 1e-3),
            ("\u{3bc}V", 1e-3),
            ("\u{e6}V", 1e-3),
        ] {
            assert_eq!(millivolts(unit), Some(value), "{unit}");
        }
        for unit in ["", "%", "mmHg", "bpm", "degC", "\u{b0}", "mV/s"] {
            assert_eq!(millivolts(unit), None, "{unit}");
        }
    }
}
