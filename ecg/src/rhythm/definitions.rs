//! What each figure of the summary means, shown beside it.

use schemars::JsonSchema;
use serde::Serialize;

/// A term and its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Definition {
    /// As the figure is labelled.
    pub term: &'static str,
    /// One sentence.
    pub definition: &'static str,
}

const fn define(term: &'static str, definition: &'static str) -> Definition {
    Definition { term, definition }
}

pub(super) const ALL: &[Definition] = &[
    define(
        "readable",
        "time and beats outside spans in which the signal is too poor to say anything",
    ),
    define(
        "rate",
        "minimum and maximum are means over eight RR intervals in a row; the mean is over all RR intervals",
    ),
    define(
        "burden",
        "ectopic beats of a class as a share of readable beats; the interval (95 %) is a moving-block bootstrap over this recording's time",
    ),
    define("couplet", "two ectopic beats of one class in a row"),
    define(
        "triplet",
        "three ectopic beats of one class in a row; also listed as a run",
    ),
    define(
        "run",
        "three or more ectopic beats of one class in a row, with the rate from its first to its last beat",
    ),
    define(
        "ventricular tachycardia",
        "a ventricular run faster than 100 beats a minute",
    ),
    define(
        "bigeminy",
        "a ventricular beat after every other beat, for three cycles or more",
    ),
    define(
        "trigeminy",
        "a ventricular beat after every two other beats, for three cycles or more",
    ),
    define(
        "pause",
        "an interval of 2.0 s or more between two beats that no unreadable span explains",
    ),
    define(
        "RR statistics",
        "mean, SDNN, RMSSD and pNN50 of intervals between two normal beats that follow each other (ESC and NASPE 1996)",
    ),
];
