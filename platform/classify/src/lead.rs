//! Which lead a single-lead recipe uses.

use crate::error::ClassifyError;
use einthoven_ecg::recording::{Recording, StandardLead};

/// In this order: the lead the model was trained on, then the ones most like it (R upright, QRS tall).
const PREFERENCE: [StandardLead; 5] = [
    StandardLead::MLII,
    StandardLead::II,
    StandardLead::Modified,
    StandardLead::I,
    StandardLead::V5,
];

/// The lead's position: the one asked for by name, else the first of the preferred ones, else the first.
pub(crate) fn choose(recording: &Recording, asked: Option<&str>) -> Result<usize, ClassifyError> {
    if let Some(asked) = asked {
        let meaning = StandardLead::from_name(asked);
        return recording
            .leads
            .iter()
            .position(|lead| lead.name.eq_ignore_ascii_case(asked.trim()))
            .or_else(|| {
                recording
                    .leads
                    .iter()
                    .position(|lead| meaning.is_some() && lead.standard == meaning)
            })
            .ok_or_else(|| ClassifyError::NoSuchLead {
                asked: asked.to_owned(),
                there: recording.leads.iter().map(|lead| lead.name.clone()).collect(),
            });
    }
    Ok(PREFERENCE
        .iter()
        .find_map(|wanted| recording.leads.iter().position(|lead| lead.standard == Some(*wanted)))
        .unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use einthoven_ecg::recording::Lead;

    fn recording(names: &[&str]) -> Recording {
        let lead = |name: &&str| Lead {
            name: (*name).to_owned(),
            standard: StandardLead::from_name(name),
            samples_mv: vec![0.0; 10],
            rails_mv: None,
        };
        Recording {
            name: "r".into(),
            format: "wfdb".into(),
            sampling_rate_hz: 360.0,
            leads: names.iter().map(lead).collect(),
            flags: vec![],
        }
    }

    #[test]
    fn leads_are_chosen_by_meaning_before_place() {
        assert_eq!(choose(&recording(&["V5", "MLII"]), None).unwrap(), 1);
        assert_eq!(choose(&recording(&["V1", "I", "Lead II"]), None).unwrap(), 2);
        assert_eq!(choose(&recording(&["ECG1", "ECG2"]), None).unwrap(), 0);
        assert_eq!(choose(&recording(&["V5", "MDC_ECG_LEAD_II"]), Some("ii")).unwrap(), 1);
        let error = choose(&recording(&["V5", "V1"]), Some("MLII")).unwrap_err().to_string();
        assert!(
            error.contains("`MLII`") && error.contains("V5, V1") && error.contains("--lead"),
            "{error}"
        );
    }
}
