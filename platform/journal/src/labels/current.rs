//! Which truth holds.

use super::{Label, Mark, Truth};
use crate::Entry;
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};

/// A beat, whether it is an adjudication, and a reader: an adjudication is a second word of one reader.
type Speaker<'a> = (u64, bool, &'a str);

/// When it was said, the place of its label among those that arrived, and what.
type Word<'a> = (Timestamp, usize, &'a Truth);

/// The last word of each reader about each beat.
fn last_words(labels: &[Label]) -> BTreeMap<Speaker<'_>, Word<'_>> {
    let mut last: BTreeMap<Speaker<'_>, Word<'_>> = BTreeMap::new();
    for (arrived, label) in labels.iter().enumerate() {
        for mark in &label.marks {
            let word = (label.at, arrived, &mark.truth);
            let key = (mark.at, label.adjudication, label.reader.as_str());
            let known = last.entry(key).or_insert(word);
            if (known.0, known.1) < (word.0, word.1) {
                *known = word;
            }
        }
    }
    last
}

/// The labels as far as they still count, in the order in which they arrived: without what the same reader said otherwise later, or took
/// back.
#[must_use]
pub fn standing(labels: &[Label]) -> Vec<Label> {
    let last = last_words(labels);
    let stands = |label: &Label| {
        let counts = |mark: &&Mark| {
            let word = last.get(&(mark.at, label.adjudication, label.reader.as_str()));
            word.is_some_and(|word| std::ptr::eq(word.2, &mark.truth)) && mark.truth != Truth::Withdrawn
        };
        label.marks.iter().filter(counts).cloned().collect::<Vec<_>>()
    };
    let kept = labels.iter().map(|label| Label {
        marks: stands(label),
        ..label.clone()
    });
    kept.filter(|label| !label.marks.is_empty()).collect()
}

/// What is held to be so about one beat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Current {
    /// What holds; none where readers disagree and nobody has settled it.
    pub truth: Option<Truth>,
    /// It was settled by an adjudication.
    pub adjudicated: bool,
    /// The last word of each reader, by name.
    pub readers: BTreeMap<String, Truth>,
}

/// What holds for each beat that readers said something about, from all labels of one prediction in the order in which they
/// arrived.
///
/// 1. Of each reader the last word counts, by the time at which it was said; of two at one time the one that arrived later.
/// 2. A reader who has taken back their last word has said nothing.
/// 3. Where an adjudication stands, the last one holds.
/// 4. Else what most readers say holds; where as many say another thing, nothing does.
#[must_use]
pub fn current(labels: &[Label]) -> BTreeMap<u64, Current> {
    let last = last_words(labels);
    let mut settled: BTreeMap<u64, Word<'_>> = BTreeMap::new();
    let mut beats: BTreeMap<u64, Current> = BTreeMap::new();
    for ((at, adjudication, reader), word) in last {
        if *word.2 == Truth::Withdrawn {
            continue;
        }
        if adjudication {
            let known = settled.entry(at).or_insert(word);
            if (known.0, known.1) < (word.0, word.1) {
                *known = word;
            }
        }
        let beat = beats.entry(at).or_insert_with(|| Current {
            truth: None,
            adjudicated: false,
            readers: BTreeMap::new(),
        });
        if !adjudication {
            beat.readers.insert(reader.to_owned(), word.2.clone());
        }
    }
    for (at, beat) in &mut beats {
        match settled.get(at) {
            Some((_, _, truth)) => {
                beat.truth = Some((*truth).clone());
                beat.adjudicated = true;
            }
            None => beat.truth = most(&beat.readers),
        }
    }
    beats
}

/// A beat of which a truth holds, beside what was answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The sample or row.
    pub at: u64,
    /// The class that was answered; none for a missed beat, or where nothing was said.
    pub said: Option<String>,
    /// The probability of that class.
    pub probability: Option<f32>,
    /// What holds.
    pub truth: Truth,
    /// Readers whose word counts.
    pub readers: usize,
    /// It was settled by an adjudication.
    pub adjudicated: bool,
}

impl Compared {
    /// The answer says what holds.
    #[must_use]
    pub fn right(&self) -> bool {
        matches!(&self.truth, Truth::Class { class } if self.said.as_ref() == Some(class))
    }
}

/// What was answered beside what holds, for every beat of which something holds, in order of time.
#[must_use]
pub fn compared(entry: &Entry, labels: &[Label]) -> Vec<Compared> {
    let beats: HashMap<u64, _> = entry.beats().map(|beat| (beat.at, beat)).collect();
    let held = current(labels).into_iter().filter_map(|(at, held)| {
        let beat = beats.get(&at);
        Some(Compared {
            at,
            said: beat.and_then(|beat| beat.class).map(str::to_owned),
            probability: beat.and_then(|beat| beat.probability),
            truth: held.truth?,
            readers: held.readers.len(),
            adjudicated: held.adjudicated,
        })
    });
    held.collect()
}

/// What more readers say than anything else.
fn most(readers: &BTreeMap<String, Truth>) -> Option<Truth> {
    let mut votes: BTreeMap<&Truth, usize> = BTreeMap::new();
    for truth in readers.values() {
        *votes.entry(truth).or_default() += 1;
    }
    let most = *votes.values().max()?;
    let mut first = votes.iter().filter(|(_, number)| **number == most);
    let (truth, _) = first.next()?;
    first.next().is_none().then(|| (*truth).clone())
}
