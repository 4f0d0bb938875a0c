//! A label and what may stand in it.

use crate::{Entry, JournalError, Unit};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt;
use uuid::Uuid;

/// Marks in one label at most: a day has about 100,000 beats.
const MOST_MARKS: usize = 500_000;
/// Bytes of a name at most.
const MOST_NAME: usize = 256;
/// Bytes of a reason at most.
const MOST_WHY: usize = 4096;

/// What one reader said about one prediction at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The prediction.
    pub prediction: Uuid,
    /// Who.
    pub reader: String,
    /// When the reader said it; may be long before it arrives.
    pub at: Timestamp,
    /// Chosen by the client, once for each time the reader says something: the same again is no new label.
    pub key: String,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// How it came.
    pub source: Source,
    /// It settles what readers disagree about.
    #[serde(default)]
    pub adjudication: bool,
    /// About which beats, and what.
    pub marks: Vec<Mark>,
}

/// How a label came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "LabelSource")]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Somebody looked at the trace on the page.
    Page,
    /// A program.
    Api,
    /// A file of reference beats.
    Reference,
}

/// What was said about one beat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mark {
    /// The beat's sample, or the row.
    pub at: u64,
    /// What is so.
    #[serde(flatten)]
    pub truth: Truth,
}

/// What is so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Truth {
    /// The beat has this class.
    Class {
        /// Its name; may be one that the model does not know.
        class: String,
    },
    /// There is no beat.
    NotABeat,
    /// There is a beat where the answer had none.
    Missed {
        /// Its class, where it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        class: Option<String>,
    },
    /// The reader takes back what they said.
    Withdrawn,
}

/// What became of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Given {
    /// Marks that are new.
    pub new: usize,
    /// Marks that were there already.
    pub repeated: usize,
}

impl Truth {
    /// The class, where there is one.
    #[must_use]
    pub fn class(&self) -> Option<&str> {
        match self {
            Self::Class { class } => Some(class),
            Self::Missed { class } => class.as_deref(),
            Self::NotABeat | Self::Withdrawn => None,
        }
    }
}

impl fmt::Display for Truth {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Class { class } => out.write_str(class),
            Self::NotABeat => out.write_str("not a beat"),
            Self::Missed { class: Some(class) } => write!(out, "missed {class}"),
            Self::Missed { class: None } => out.write_str("missed beat"),
            Self::Withdrawn => out.write_str("withdrawn"),
        }
    }
}

impl Label {
    /// Whether it can be taken for this prediction.
    ///
    /// # Errors
    /// [`JournalError::Labels`] and [`JournalError::NoSuchBeat`].
    pub fn check(&self, entry: &Entry) -> Result<(), JournalError> {
        let refuse = |what: String| Err(JournalError::Labels { what });
        for (what, name) in [("reader", &self.reader), ("key", &self.key)] {
            if name.is_empty() || name.len() > MOST_NAME {
                return refuse(format!("`{what}` must have 1 to {MOST_NAME} bytes"));
            }
        }
        if self.why.len() > MOST_WHY {
            return refuse(format!("`why` may have {MOST_WHY} bytes"));
        }
        if self.marks.is_empty() || self.marks.len() > MOST_MARKS {
            return refuse(format!("a label needs 1 to {MOST_MARKS} marks"));
        }
        let beats: HashSet<u64> = entry.beats.at.iter().copied().collect();
        let mut seen = HashSet::with_capacity(self.marks.len());
        for mark in &self.marks {
            let no = |what| Err(JournalError::NoSuchBeat { at: mark.at, what });
            if !seen.insert(mark.at) {
                return no("the label says two things about one beat; send them as two labels");
            }
            if mark
                .truth
                .class()
                .is_some_and(|class| class.is_empty() || class.len() > 64)
            {
                return no("a class must have 1 to 64 bytes");
            }
            match (&mark.truth, beats.contains(&mark.at)) {
                (Truth::Class { .. } | Truth::NotABeat, false) => {
                    return no(
                        "the answer has no beat at this sample; give the sample that it states, or say that the beat was missed",
                    );
                }
                (Truth::Missed { .. }, true) => {
                    return no("the answer has a beat at this sample; give its class");
                }
                (Truth::Missed { .. } | Truth::NotABeat, _) if entry.unit != Unit::Beats => {
                    return no("rows are given, not found: none is missed and each is one; give its class");
                }
                _ => {}
            }
        }
        Ok(())
    }
}
