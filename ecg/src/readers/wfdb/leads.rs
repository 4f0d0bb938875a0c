//! Which signals of a record are ECG leads.

use super::header::Header;
use super::signal_line::SignalSpec;
use crate::readers::error::{ReadError, shown, shown_list};
use crate::recording::{Flag, StandardLead};

/// The signals that become leads: all voltages sampled at the highest rate among the voltages.
pub(super) struct Choice {
    /// Indices of the kept signals.
    pub(super) kept: Vec<usize>,
    /// Samples per frame of every kept signal.
    pub(super) per_frame: u32,
}

/// Picks the leads and flags what is left out. Signals of other rates are left out rather than resampled: an ECG is
/// never the slower one beside a respiration or pressure signal.
pub(super) fn choose(
    header: &Header,
    signals: &[SignalSpec],
    max_leads: usize,
    flags: &mut Vec<Flag>,
) -> Result<Choice, ReadError> {
    let voltages = || {
        signals
            .iter()
            .enumerate()
            .filter(|(_, signal)| signal.voltage().is_some() && !measures_something_else(&signal.name))
    };
    let Some(per_frame) = voltages().map(|(_, signal)| signal.per_frame).max() else {
        return Err(ReadError::NoEcgLead {
            file: shown(&header.file),
            signals: shown_list(signals.iter().map(|signal| signal.name.as_str())),
        });
    };
    let kept: Vec<usize> = voltages()
        .filter(|(_, signal)| signal.per_frame == per_frame)
        .map(|(index, _)| index)
        .collect();
    if kept.len() > max_leads {
        return Err(ReadError::TooLarge {
            file: shown(&header.file),
            what: format!("the record has {} leads", kept.len()),
            limit: max_leads as u64,
        });
    }
    for (index, signal) in signals.iter().enumerate() {
        if kept.contains(&index) {
            continue;
        }
        let why = match &signal.unit {
            Some(unit) if signal.voltage().is_none() => format!("its unit is {}", shown(unit)),
            _ if measures_something_else(&signal.name) => "its name says it is no ECG".to_owned(),
            _ => "it has a lower sampling rate than the ECG".to_owned(),
        };
        flags.push(Flag {
            code: "signal_left_out".into(),
            detail: format!("Signal {index} \"{}\" was left out: {why}.", shown(&signal.name)),
        });
    }
    Ok(Choice { kept, per_frame })
}

/// Names of other body signals that are often written without a unit, so that they would count as millivolts.
fn measures_something_else(name: &str) -> bool {
    const OTHERS: [&str; 17] = [
        "RESP", "PLETH", "PPG", "ABP", "ART", "PAP", "CVP", "ICP", "CO2", "SPO2", "EEG", "EOG", "EMG", "GSR", "MARKER",
        "HR", "PULSE",
    ];
    let upper = name.to_ascii_uppercase();
    StandardLead::from_name(name).is_none()
        && upper
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| OTHERS.contains(&word))
}
