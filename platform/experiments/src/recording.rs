//! What is known of one recording: what each version said, and how that compares with the truth where it is known.

use crate::figure::Matrix;
use einthoven_ecg::beat::BeatClass;
use serde::{Deserialize, Serialize};

/// Differing beats that are listed of one recording; all are counted.
pub const MOST_LISTED: usize = 200;

/// One recording.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Recording {
    /// Its name: a record, or the digest of what was uploaded.
    pub id: String,
    /// A pseudonym of the person, where known: recordings of one person are one unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What the champion said, if it saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub champion: Option<Answer>,
    /// What the challenger said, if it saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenger: Option<Answer>,
    /// Beat by beat beside each other, if both saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub together: Option<Together>,
}

/// One version's answer to a recording.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Answer {
    /// Beats called N, S, V, F, Q.
    pub said: [u64; 5],
    /// Beats to which no class was given.
    #[serde(default)]
    pub withheld: u64,
    /// Against the reference by EC57; absent without labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matrix: Option<Matrix>,
    /// The reference covers single beats, not the whole recording.
    #[serde(default)]
    pub partial: bool,
    /// Expected calibration error, 0 to 1; absent without labels or probabilities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration_error: Option<f64>,
}

/// Two answers to one recording.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Together {
    /// Rows the champion's, columns the challenger's: N, S, V, F, Q, none (withheld or no beat).
    pub agreement: [[u64; 6]; 6],
    /// Labelled beats by who was right: neither, challenger alone, champion alone, both.
    #[serde(default)]
    pub right: [u64; 4],
    /// Where they differ, the first [`MOST_LISTED`].
    #[serde(default)]
    pub differ: Vec<Difference>,
}

/// A beat that two versions call differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// R peak, in samples of the recording.
    pub sample: u64,
    /// What the champion said.
    pub champion: Option<BeatClass>,
    /// What the challenger said.
    pub challenger: Option<BeatClass>,
    /// The truth, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truth: Option<BeatClass>,
}

impl Together {
    /// Beats that the two call differently.
    #[must_use]
    pub fn differing(&self) -> u64 {
        let cells = self.agreement.iter().enumerate();
        let others = cells.flat_map(|(at, row)| row.iter().enumerate().filter(move |(column, _)| *column != at));
        others.fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// Beats of either.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.agreement
            .iter()
            .flatten()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }
}
