//! Annotations: labels at samples, reference or computed, with the MIT codes they travel under.

mod read;
mod time;
mod write;

pub use read::{DecodeError, decode};
pub use time::{at_rate, time_resolution};
pub use write::{EncodeError, encode};

use crate::beat::BeatClass;

/// One annotation of a record, as MIT annotation files carry it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Annotation {
    /// Sample index at the record's (or the annotation file's own) sampling frequency.
    pub sample: u64,
    /// MIT code, 1 to 49: `code::NORMAL`, `code::PVC`, ...
    pub code: u8,
    /// Modifier of this annotation only.
    pub subtype: i8,
    /// Signal it refers to.
    pub channel: u8,
    /// The `num` field.
    pub number: i8,
    /// Text, such as the rhythm `(AFIB`.
    pub aux: Vec<u8>,
}

/// MIT annotation codes that Einthoven names (ecgcodes.h of the WFDB library).
#[allow(missing_docs, reason = "the codes' own names")]
pub mod code {
    pub const NORMAL: u8 = 1;
    pub const LBBB: u8 = 2;
    pub const RBBB: u8 = 3;
    pub const ABERRATED: u8 = 4;
    pub const PVC: u8 = 5;
    pub const FUSION: u8 = 6;
    pub const NODAL_PREMATURE: u8 = 7;
    pub const ATRIAL_PREMATURE: u8 = 8;
    pub const SUPRAVENTRICULAR: u8 = 9;
    pub const VENTRICULAR_ESCAPE: u8 = 10;
    pub const NODAL_ESCAPE: u8 = 11;
    pub const PACED: u8 = 12;
    pub const UNKNOWN: u8 = 13;
    pub const NOISE: u8 = 14;
    pub const COMMENT: u8 = 22;
    pub const BUNDLE_BRANCH: u8 = 25;
    pub const RHYTHM: u8 = 28;
    pub const LEARNING: u8 = 30;
    pub const FLUTTER_WAVE: u8 = 31;
    pub const VF_ONSET: u8 = 32;
    pub const VF_OFFSET: u8 = 33;
    pub const ATRIAL_ESCAPE: u8 = 34;
    pub const SUPRAVENTRICULAR_ESCAPE: u8 = 35;
    pub const BLOCKED_ATRIAL: u8 = 37;
    pub const PACED_FUSION: u8 = 38;
    pub const R_ON_T: u8 = 41;
}

/// A named way to group annotation codes into classes; printed on every report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mapping {
    /// Escape beats (`e`, `j`) count as normal, as in de Chazal 2004 and the Kaggle set.
    #[default]
    AamiDechazal,
    /// Escape beats count as supraventricular, as the WFDB program `bxb` does.
    AamiBxb,
}

impl Mapping {
    /// The setting's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AamiDechazal => "aami-dechazal",
            Self::AamiBxb => "aami-bxb",
        }
    }

    /// The mapping of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::AamiDechazal, Self::AamiBxb]
            .into_iter()
            .find(|mapping| mapping.name() == name)
    }

    /// The class of an annotation code, or `None` when the code does not mark a beat.
    #[must_use]
    pub fn class(self, code: u8) -> Option<BeatClass> {
        use code::{
            ABERRATED, ATRIAL_ESCAPE, ATRIAL_PREMATURE, BUNDLE_BRANCH, FUSION, LBBB, LEARNING, NODAL_ESCAPE,
            NODAL_PREMATURE, NORMAL, PACED, PACED_FUSION, PVC, R_ON_T, RBBB, SUPRAVENTRICULAR, SUPRAVENTRICULAR_ESCAPE,
            UNKNOWN, VENTRICULAR_ESCAPE,
        };
        Some(match code {
            NORMAL | LBBB | RBBB | BUNDLE_BRANCH => BeatClass::N,
            ATRIAL_ESCAPE | NODAL_ESCAPE => match self {
                Self::AamiDechazal => BeatClass::N,
                Self::AamiBxb => BeatClass::S,
            },
            ATRIAL_PREMATURE | ABERRATED | NODAL_PREMATURE | SUPRAVENTRICULAR | SUPRAVENTRICULAR_ESCAPE => BeatClass::S,
            PVC | VENTRICULAR_ESCAPE | R_ON_T => BeatClass::V,
            FUSION => BeatClass::F,
            PACED | PACED_FUSION | UNKNOWN | LEARNING => BeatClass::Q,
            _ => return None,
        })
    }
}
