//! The class of a heartbeat and the two named ways of grouping annotation codes into classes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The five classes of ANSI/AAMI EC57.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum BeatClass {
    /// Normal, bundle branch block, and (by mapping) escape beats.
    N,
    /// Supraventricular ectopic.
    S,
    /// Ventricular ectopic.
    V,
    /// Fusion of ventricular and normal.
    F,
    /// Paced, fusion of paced and normal, or unclassifiable.
    Q,
}

impl BeatClass {
    /// All classes in the standard's order.
    pub const ALL: [Self; 5] = [Self::N, Self::S, Self::V, Self::F, Self::Q];

    /// The one-letter name.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::N => 'N',
            Self::S => 'S',
            Self::V => 'V',
            Self::F => 'F',
            Self::Q => 'Q',
        }
    }

    /// The class of a one-letter name.
    #[must_use]
    pub fn from_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.letter() == letter)
    }
}
