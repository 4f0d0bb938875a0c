//! A recording: leads times samples in millivolts, with what is known about each.

use schemars::JsonSchema;
use serde::Serialize;
use std::borrow::Cow;

/// Leads of one length sampled together. Samples are in millivolts; NaN marks a sample the recorder declared invalid.
///
/// Nothing that identifies a person is kept: readers drop names, birth dates and free text.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// The record's name (from the file's name), never a person's.
    pub name: String,
    /// Which reader made it, such as `wfdb` or `csv-rdsamp`.
    pub format: Cow<'static, str>,
    /// Samples per second of every lead, above zero and finite.
    pub sampling_rate_hz: f64,
    /// At least one lead; all have the same number of samples.
    pub leads: Vec<Lead>,
    /// What a reader of the result must know about how this was read.
    pub flags: Vec<Flag>,
}

/// One lead's samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Lead {
    /// The name as the file gives it, trimmed.
    pub name: String,
    /// What the name means, or `None` when it says nothing (`ECG1`, `signal 0`).
    pub standard: Option<StandardLead>,
    /// Millivolts; NaN where the recorder marked the sample invalid.
    pub samples_mv: Vec<f32>,
    /// The recorder's rails in millivolts (lowest and highest value its converter can give), where the format says.
    pub rails_mv: Option<(f32, f32)>,
}

/// Something the reader noticed that does not stop it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Flag {
    /// Stable, `snake_case`: `uncalibrated`, `checksum_mismatch`, `lead_name_unknown`, ...
    pub code: Cow<'static, str>,
    /// One sentence naming the lead or file.
    pub detail: String,
}

impl Recording {
    /// Samples per lead.
    #[must_use]
    pub fn len(&self) -> usize {
        self.leads.first().map_or(0, |lead| lead.samples_mv.len())
    }

    /// True when there is not one sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Length in seconds.
    #[must_use]
    pub fn duration_s(&self) -> f64 {
        self.len() as f64 / self.sampling_rate_hz
    }
}

/// A lead by its meaning, whatever the file calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[allow(missing_docs, reason = "the leads' own names")]
pub enum StandardLead {
    I,
    II,
    III,
    #[serde(rename = "aVR")]
    AVR,
    #[serde(rename = "aVL")]
    AVL,
    #[serde(rename = "aVF")]
    AVF,
    V1,
    V2,
    V3,
    V4,
    V5,
    V6,
    /// Modified lead II of Holter recorders.
    MLII,
    /// Any other named modified or bipolar Holter lead (MLI, MLIII, CM5, ...).
    Modified,
}

impl StandardLead {
    /// What a lead's name means: case, blanks and the usual prefixes (`Lead `, `MDC_ECG_LEAD_`, `ECG `) do not matter.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let mut key: String = name
            .trim()
            .chars()
            .filter(|c| !matches!(c, ' ' | '_' | '-' | '.'))
            .collect::<String>()
            .to_ascii_uppercase();
        for prefix in ["MDCECGLEAD", "LEAD", "ECGLEAD", "ECG", "EKG"] {
            if let Some(rest) = key.strip_prefix(prefix)
                && !rest.is_empty()
                && !rest.starts_with(|c: char| c.is_ascii_digit())
            {
                key = rest.to_owned();
                break;
            }
        }
        Some(match key.as_str() {
            "I" | "DI" => Self::I,
            "II" | "DII" => Self::II,
            "III" | "DIII" => Self::III,
            "AVR" => Self::AVR,
            "AVL" => Self::AVL,
            "AVF" => Self::AVF,
            "V1" => Self::V1,
            "V2" => Self::V2,
            "V3" => Self::V3,
            "V4" => Self::V4,
            "V5" => Self::V5,
            "V6" => Self::V6,
            "MLII" | "ML2" => Self::MLII,
            "MLI" | "ML1" | "MLIII" | "ML3" | "CM1" | "CM2" | "CM3" | "CM4" | "CM5" | "CC5" | "MV1" | "MV2" | "MV5"
            | "MCL1" => Self::Modified,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_leads_are_understood_however_written() {
        for (name, lead) in [
            ("MLII", StandardLead::MLII),
            ("Lead II", StandardLead::II),
            ("MDC_ECG_LEAD_II", StandardLead::II),
            ("ECG I", StandardLead::I),
            ("avf", StandardLead::AVF),
            (" v5 ", StandardLead::V5),
        ] {
            assert_eq!(StandardLead::from_name(name), Some(lead), "{name}");
        }
        for name in ["ECG1", "signal 0", "ABP", "", "Lead"] {
            assert_eq!(StandardLead::from_name(name), None, "{name}");
        }
    }
}
