//! Which truth holds.

use super::{Label, Truth};
use jiff::Timestamp;
use std::collections::BTreeMap;

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
    // By beat and reader, and whether it is an adjudication: these are two words of one reader.
    let mut last: BTreeMap<(u64, bool, &str), (Timestamp, usize, &Truth)> = BTreeMap::new();
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
    let mut settled: BTreeMap<u64, (Timestamp, usize, &Truth)> = BTreeMap::new();
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
