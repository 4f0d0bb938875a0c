//! The rhythm summary, as a Holter report has it: rates, burden, runs, pauses, RR statistics.
//!
//! Every figure's definition travels with it ([`definitions`]). Nothing is computed across an unreadable span.

mod burden;
mod definitions;
mod patterns;
mod rates;

use crate::beat::BeatClass;
pub use burden::Burden;
pub use definitions::Definition;
pub use patterns::{Episode, Pause, PerClass, Run};
pub use rates::{Hour, Rate, RrStatistics};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// A beat as the summary needs it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimedBeat {
    /// Seconds from the start.
    pub time_s: f64,
    /// `None` where nothing is said.
    pub class: Option<BeatClass>,
    /// False in an unreadable span.
    pub readable: bool,
}

/// The report.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "RhythmSummary")]
pub struct Summary {
    /// Of the recording.
    pub duration_s: f64,
    /// Outside unreadable spans.
    pub readable_s: f64,
    /// Inside them.
    pub unreadable_s: f64,
    /// All that were found.
    pub beats: usize,
    /// Those with a class.
    pub readable_beats: usize,
    /// Readable beats of each class; every class is there.
    pub counts: BTreeMap<BeatClass, usize>,
    /// Heart rate.
    pub rate: Rate,
    /// Share of readable beats that are ectopic.
    pub burden: PerClass<Option<Burden>>,
    /// Exactly two in a row.
    pub couplets: PerClass<usize>,
    /// Exactly three in a row.
    pub triplets: PerClass<usize>,
    /// Three or more in a row.
    pub runs: PerClass<Vec<Run>>,
    /// Ventricular beats every second beat.
    pub bigeminy: Vec<Episode>,
    /// Ventricular beats every third beat.
    pub trigeminy: Vec<Episode>,
    /// Long intervals without a beat.
    pub pauses: Vec<Pause>,
    /// Of intervals between normal beats.
    pub rr: RrStatistics,
    /// What each figure means.
    pub definitions: &'static [Definition],
}

/// Sums up a recording's beats, which must be in order of time.
///
/// `unreadable` are the spans, in seconds, in which nothing is said, in order and apart; `duration_s` is the recording's
/// length.
#[must_use]
pub fn summarize(beats: &[TimedBeat], unreadable: &[(f64, f64)], duration_s: f64) -> Summary {
    let unreadable_s: f64 = unreadable
        .iter()
        .map(|(start, end)| (end.min(duration_s) - start.max(0.0)).max(0.0))
        .sum();
    let readable: Vec<(f64, BeatClass)> = beats
        .iter()
        .filter(|beat| beat.readable)
        .filter_map(|beat| Some((beat.time_s, beat.class?)))
        .collect();
    // Beats without a class: the ones around them do not follow each other.
    let hidden: Vec<f64> = beats
        .iter()
        .filter(|beat| !beat.readable || beat.class.is_none())
        .map(|beat| beat.time_s)
        .collect();
    let mut counts: BTreeMap<BeatClass, usize> = BeatClass::ALL.into_iter().map(|class| (class, 0)).collect();
    for (_, class) in &readable {
        *counts.entry(*class).or_insert(0) += 1;
    }
    // Stretches of beats that follow each other with nothing unreadable between.
    let stretches = stretches(&readable, &hidden, unreadable);
    let (bigeminy, trigeminy) = patterns::alternations(&stretches);
    let grouped = patterns::groups(&stretches);
    Summary {
        duration_s: round(duration_s),
        readable_s: round((duration_s - unreadable_s).max(0.0)),
        unreadable_s: round(unreadable_s),
        beats: beats.len(),
        readable_beats: readable.len(),
        counts,
        rate: rates::rate(&stretches, unreadable, duration_s),
        burden: PerClass {
            s: burden::burden(&readable, BeatClass::S, duration_s),
            v: burden::burden(&readable, BeatClass::V, duration_s),
        },
        couplets: grouped.couplets,
        triplets: grouped.triplets,
        runs: grouped.runs,
        bigeminy,
        trigeminy,
        pauses: patterns::pauses(&stretches),
        rr: rates::statistics(&stretches),
        definitions: definitions::ALL,
    }
}

type Stretch<'a> = &'a [(f64, BeatClass)];

fn stretches<'a>(readable: &'a [(f64, BeatClass)], hidden: &[f64], unreadable: &[(f64, f64)]) -> Vec<Stretch<'a>> {
    let mut spans = unreadable.iter().peekable();
    let mut hidden = hidden.iter().peekable();
    let mut cuts = Vec::new();
    for (index, pair) in readable.windows(2).enumerate() {
        let (from, to) = (pair[0].0, pair[1].0);
        while spans.next_if(|(_, end)| *end <= from).is_some() {}
        while hidden.next_if(|time| **time < from).is_some() {}
        if spans.peek().is_some_and(|(start, _)| *start < to) || hidden.peek().is_some_and(|time| **time < to) {
            cuts.push(index + 1);
        }
    }
    let mut stretches = Vec::with_capacity(cuts.len() + 1);
    let mut start = 0;
    for cut in cuts.into_iter().chain([readable.len()]) {
        if cut > start {
            stretches.push(&readable[start..cut]);
        }
        start = cut;
    }
    stretches
}

/// Three decimals: milliseconds.
fn round(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests;
