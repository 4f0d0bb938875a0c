//! Beats and what readers say about them, as components of an `Observation`.
//!
//! R4 has no element for what happens at a point of a signal: `SampledData` takes values that lie evenly, and beats do not. So each beat is
//! a component, whose code is what the beat is said to be and whose value is when its R peak was, in seconds from the start.

use super::{UCUM, in_words};
use crate::document::{Document, rounded};
use einthoven_ecg::beat::BeatClass;
use serde::Serialize;
use std::borrow::Cow;

/// Of the five classes. The terms of ISO/IEEE 11073-10102 are narrower: N has beats with bundle branch block too.
const CLASSES: &str = "urn:einthoven:aami-ec57-class";

/// What one reader said at one time, as far as it still counts.
#[derive(Debug, Clone)]
pub struct ReaderLabel {
    /// Who, as the server calls them.
    pub reader: String,
    /// When, RFC 3339.
    pub at: String,
    /// One of its own among those of this reader.
    pub key: String,
    /// It settles what readers disagree about.
    pub adjudication: bool,
    /// Why; may be empty.
    pub why: String,
    /// About which beats.
    pub marks: Vec<ReaderMark>,
}

/// What a reader said about one beat.
#[derive(Debug, Clone)]
pub struct ReaderMark {
    /// The beat's sample in the recording.
    pub sample: u64,
    /// The class by its name, where one was said.
    pub class: Option<String>,
    /// All of it in words, such as `missed V`.
    pub said: String,
}

/// One beat.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mark<'a> {
    code: Concept<'a>,
    value_quantity: Seconds,
}

#[derive(Serialize)]
struct Concept<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    coding: Option<[Coding; 1]>,
    text: Cow<'a, str>,
}

#[derive(Serialize)]
struct Coding {
    system: &'static str,
    code: BeatClass,
    display: &'static str,
}

#[derive(Serialize)]
struct Seconds {
    value: f64,
    unit: &'static str,
    system: &'static str,
    code: &'static str,
}

impl<'a> Mark<'a> {
    fn new(class: Option<BeatClass>, text: impl Into<Cow<'a, str>>, seconds: f64) -> Self {
        let coding = class.map(|class| {
            [Coding {
                system: CLASSES,
                code: class,
                display: in_words(class),
            }]
        });
        Self {
            code: Concept {
                coding,
                text: text.into(),
            },
            value_quantity: Seconds {
                value: seconds,
                unit: "s",
                system: UCUM,
                code: "s",
            },
        }
    }
}

/// As the model answered.
pub(super) fn answered(document: &Document) -> Vec<Mark<'_>> {
    let beats = document.beats.iter();
    beats
        .map(|beat| {
            let text = beat.class.map_or("unreadable", in_words);
            Mark::new(beat.class, text, beat.time_s)
        })
        .collect()
}

/// As a reader said.
pub(super) fn read<'a>(label: &'a ReaderLabel, document: &Document) -> Vec<Mark<'a>> {
    let marks = label.marks.iter();
    marks
        .map(|mark| {
            let class = mark.class.as_deref().and_then(known);
            let seconds = mark.sample as f64 / document.recording.sampling_rate_hz;
            Mark::new(class, mark.said.as_str(), rounded(seconds, 1e4))
        })
        .collect()
}

/// The class of that name, where it is one of the five: readers may say others.
fn known(name: &str) -> Option<BeatClass> {
    let mut letters = name.chars();
    let letter = letters.next().filter(|_| letters.clone().next().is_none())?;
    BeatClass::from_letter(letter)
}
